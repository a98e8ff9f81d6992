import { randomUUID } from 'node:crypto';
import { explain, IronbarkError, isIronbarkError, timestamp, type Info, type Node } from '@ironbark/core';
import type { Lock, Operation, Step } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { createTask } from '../task.ts';
import { finishOperation } from './outcome.ts';
import { journalScope, powerTargetOf, stepDefinition, stepDefinitions, type StepName } from './steps.ts';

/** Runs operations step by step. What it knows is in the store: after a crash {@link OperationRunner.resume} goes on where it stopped. */
export class OperationRunner {
  readonly #context: EngineContext;
  readonly #running = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();
  #draining = false;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** @throws NO_FREE_WORKER when the conductor has enough to do or is about to stop. */
  assertFreeWorker(): void {
    if (!this.#draining && this.#running.size < this.#context.workers) return;
    throw new IronbarkError(
      'NO_FREE_WORKER',
      'Requested action cannot be performed due to lack of free conductor workers.',
      {
        retryable: true,
        hint: this.#draining ? 'The conductor is shutting down.' : 'Try again later, or raise conductor.workers.',
      },
    );
  }

  /** Stores a new operation; its first step runs when {@link OperationRunner.run} is called. */
  async create(node: Node, verb: string, steps: readonly StepName[], parameters: Info, lock: Lock): Promise<Operation> {
    const operation: Operation = {
      uuid: randomUUID(),
      nodeUuid: node.uuid,
      verb,
      state: 'running',
      steps: steps.map((name) => pendingStep(name, false)),
      parameters,
      error: null,
      createdAt: timestamp(),
      finishedAt: null,
    };
    await this.#context.store.operations.insert(operation, lock);
    return operation;
  }

  /** Runs an operation in the background and releases the lock at its end. */
  run(operation: Operation, lock: Lock): void {
    const work = this.#execute(operation, lock)
      .catch((error: unknown) =>
        this.#context.log.error(
          { node: operation.nodeUuid, operation: operation.uuid, error: explain(error) },
          'operation interrupted',
        ),
      )
      .finally(() => this.#running.delete(operation.uuid));
    this.#running.set(operation.uuid, work);
  }

  /** Takes up what an earlier process left: open operations go on, locks without an operation are released. */
  async resume(): Promise<void> {
    const { store, hostname, lockLeaseMs, log } = this.#context;
    for (const operation of await store.operations.listOpen()) {
      if (this.#running.has(operation.uuid)) continue;
      const lock = await store.locks.acquire(operation.nodeUuid, hostname, lockLeaseMs, true);
      if (lock === undefined) continue;
      log.info({ node: operation.nodeUuid, operation: operation.uuid, verb: operation.verb }, 'operation resumed');
      this.run(operation, lock);
    }
  }

  /**
   * Begins no further step, waits for the running ones, and aborts those that take longer. Unfinished operations stay resumable.
   */
  async stop(graceMs: number): Promise<void> {
    this.#draining = true;
    const timer = setTimeout(() => this.#abort.abort(new Error('the conductor is shutting down')), graceMs);
    await Promise.all(this.#running.values());
    clearTimeout(timer);
  }

  /** Settles when no operation runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #execute(begun: Operation, lock: Lock): Promise<void> {
    const { store, events, log } = this.#context;
    let operation = begun;
    const announce = (type: string, facts: Info) =>
      events.emit(type, operation.nodeUuid, { operation: operation.uuid, verb: operation.verb, ...facts });
    announce('operation.started', {});
    for (;;) {
      const index = operation.steps.findIndex(({ state }) => state === 'pending' || state === 'running');
      const step = operation.steps[index];
      if (step === undefined) break;
      if (this.#draining) return;
      operation = await store.operations.update(
        operation.uuid,
        { steps: replaceStep(operation, index, begin(step)) },
        lock,
      );
      announce('step.started', { step: step.name });
      const result = await this.#runStep(operation, step, lock);
      if (result === 'interrupted') return;
      operation = await store.operations.update(operation.uuid, advance(operation, index, result), lock);
      const facts = { node: operation.nodeUuid, operation: operation.uuid, step: step.name };
      const done = operation.steps[index];
      announce('step.finished', {
        step: step.name,
        state: done?.state ?? 'succeeded',
        error: done?.error ?? null,
        duration_ms: durationMs(done),
      });
      if (result instanceof StepFailure) log.warn({ ...facts, error: result.message }, 'step failed');
      else log.debug({ ...facts, duration_ms: durationMs(done) }, 'step done');
    }
    const finished = await finishOperation(this.#context, operation, lock);
    announce(finished.state === 'succeeded' ? 'operation.finished' : 'operation.failed', { error: finished.error });
    log.info(
      {
        node: operation.nodeUuid,
        operation: operation.uuid,
        verb: operation.verb,
        state: finished.state,
        error: finished.error,
      },
      'operation ended',
    );
    await store.locks.release(lock);
  }

  async #runStep(operation: Operation, step: Step, lock: Lock): Promise<StepResult> {
    const context = this.#context;
    const definition = stepDefinition(step.name);
    const deadline = AbortSignal.timeout(context.stepTimeoutMs);
    try {
      const node = await context.store.nodes.find(operation.nodeUuid);
      if (node === undefined || definition === undefined)
        throw new IronbarkError('INTERNAL', `Step ${step.name} cannot be run: it is unknown, or its node is gone.`);
      const task = await createTask(context, node, {
        scope: journalScope(step.name),
        fence: lock,
        signal: AbortSignal.any([this.#abort.signal, deadline]),
        bindings: { operation: operation.uuid },
      });
      return (await definition.run({ context, task, fence: lock, operation })) ?? 'next';
    } catch (error) {
      if (isIronbarkError(error, 'LOCK_LOST')) throw error;
      if (this.#abort.signal.aborted) return 'interrupted';
      if (deadline.aborted)
        return new StepFailure(`Step ${step.name} did not end within ${context.stepTimeoutMs / 1000} s.`);
      return new StepFailure(explain(error));
    }
  }
}

class StepFailure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

type StepResult = 'next' | 'finish' | 'interrupted' | StepFailure;

function pendingStep(name: string, compensation: boolean): Step {
  return { name, state: 'pending', compensation, attempts: 0, startedAt: null, finishedAt: null, error: null };
}

function begin(step: Step): Step {
  return { ...step, state: 'running', attempts: step.attempts + 1, startedAt: step.startedAt ?? timestamp() };
}

function durationMs(step: Step | undefined): number {
  return step?.startedAt && step.finishedAt ? Date.parse(step.finishedAt) - Date.parse(step.startedAt) : 0;
}

function replaceStep(operation: Operation, index: number, step: Step): readonly Step[] {
  return operation.steps.with(index, step);
}

/** The operation after one of its steps has ended. Pure. */
function advance(operation: Operation, index: number, result: 'next' | 'finish' | StepFailure): Partial<Operation> {
  const step = operation.steps[index];
  if (step === undefined) return {};
  const finishedAt = timestamp();
  if (result === 'next') return { steps: replaceStep(operation, index, { ...step, state: 'succeeded', finishedAt }) };
  if (result === 'finish') {
    const done = replaceStep(operation, index, { ...step, state: 'succeeded', finishedAt });
    return { steps: done.map((other) => skipIf(other, other.state === 'pending')) };
  }
  const failed = replaceStep(operation, index, { ...step, state: 'failed', finishedAt, error: result.message });
  if (step.compensation) {
    // A machine that may still run keeps its volumes: taking them away would damage their contents.
    return {
      steps: failed.map((other) =>
        skipIf(other, step.name === 'power.off' && other.state === 'pending' && other.name === 'storage.detach'),
      ),
    };
  }
  if (isTolerated(operation, step)) return { steps: failed };
  const rest = failed.map((other) => skipIf(other, other.state === 'pending'));
  const error = `Step ${step.name} failed: ${result.message}`;
  return { steps: [...rest, ...compensations(operation, index)], state: 'compensating', error };
}

function skipIf(step: Step, condition: boolean): Step {
  return condition ? { ...step, state: 'skipped' } : step;
}

/** An active machine that is off is off, also when a volume could not be released: the next power action tries again. */
function isTolerated(operation: Operation, step: Step): boolean {
  return powerTargetOf(operation.verb) !== undefined && step.name === 'storage.detach';
}

/** What takes back the steps up to the failed one, the last first. */
function compensations(operation: Operation, failedIndex: number): readonly Step[] {
  if (operation.verb !== 'deploy' && operation.verb !== 'rebuild') return [];
  const begun = operation.steps.slice(0, failedIndex + 1).toReversed();
  return begun.flatMap(({ name }) => {
    const definition = stepDefinitions[name as StepName];
    return 'compensation' in definition ? [pendingStep(definition.compensation, true)] : [];
  });
}

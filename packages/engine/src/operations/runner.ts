import { randomUUID } from 'node:crypto';
import { explain, IronbarkError, isIronbarkError, timestamp, type Info, type Node } from '@ironbark/core';
import type { Lock, Operation, Step } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { withinBound } from '../hook-call.ts';
import { createTask } from '../task.ts';
import { withinSignal } from '../within-signal.ts';
import { finishOperation } from './outcome.ts';
import { beginStep, currentStepIndex, endStep, pendingStep, type StepResult } from './progress.ts';
import { createStepSignal } from './step-signal.ts';
import { journalScope, stepDefinition, type StepName } from './steps.ts';

/** A new operation with its first step marked as running, to be stored together with the node's new state. */
export function createOperation(node: Node, verb: string, steps: readonly StepName[], parameters: Info): Operation {
  return {
    uuid: randomUUID(),
    nodeUuid: node.uuid,
    verb,
    state: 'running',
    steps: beginStep(
      steps.map((name) => pendingStep(name, false)),
      0,
    ),
    parameters,
    error: null,
    createdAt: timestamp(),
    finishedAt: null,
  };
}

/** Runs operations step by step. What it knows is in the store: after a crash {@link OperationRunner.resume} goes on where it stopped. */
export class OperationRunner {
  readonly #context: EngineContext;
  readonly #running = new Map<string, Promise<void>>();
  /** Nodes whose lock this process uses for an operation, with the number of its users: one that ends may meet one that begins. */
  readonly #claims = new Map<string, number>();
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

  /** Keeps {@link OperationRunner.resume} off a node while its operation is stored and begun. */
  claim(nodeUuid: string): void {
    this.#claims.set(nodeUuid, (this.#claims.get(nodeUuid) ?? 0) + 1);
  }

  /** Takes a claim back: no operation was begun, or it has ended. */
  disclaim(nodeUuid: string): void {
    const left = (this.#claims.get(nodeUuid) ?? 1) - 1;
    if (left > 0) this.#claims.set(nodeUuid, left);
    else this.#claims.delete(nodeUuid);
  }

  /**
   * Runs a stored operation of a claimed node; its lock is released at its end.
   * @returns when it has ended or was interrupted; never fails.
   */
  run(operation: Operation, lock: Lock): Promise<void> {
    const work = this.#execute(operation, lock)
      .catch((error: unknown) => {
        const facts = { node: operation.nodeUuid, operation: operation.uuid, error: explain(error) };
        this.#context.log.error(facts, 'operation interrupted; it is taken up again soon');
      })
      .finally(() => {
        this.#running.delete(operation.uuid);
        this.disclaim(operation.nodeUuid);
      });
    this.#running.set(operation.uuid, work);
    return work;
  }

  /**
   * Takes up open operations that nobody works on: those of an earlier process, of a conductor that died, and those that an error
   * of the store has interrupted. The step that was running is begun again.
   */
  async resume(): Promise<void> {
    const { store, hostname, lockLeaseMs, log } = this.#context;
    for (const operation of await store.operations.listOpen()) {
      if (this.#draining || this.#claims.has(operation.nodeUuid)) continue;
      const lock = await store.locks.acquire(operation.nodeUuid, hostname, lockLeaseMs, true);
      if (lock === undefined) continue;
      log.info({ node: operation.nodeUuid, operation: operation.uuid, verb: operation.verb }, 'operation resumed');
      const steps = beginStep(operation.steps, currentStepIndex(operation));
      this.claim(operation.nodeUuid);
      void this.run(await store.operations.update(operation.uuid, { steps }, lock), lock);
    }
  }

  /** Begins no further step, waits for the running ones, and aborts those that take longer. Unfinished operations stay resumable. */
  async stop(graceMs: number): Promise<void> {
    this.#draining = true;
    const timer = setTimeout(() => this.#abort.abort(new Error('the conductor is shutting down')), graceMs);
    await this.idle();
    clearTimeout(timer);
  }

  /** Settles when no operation runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #execute(begun: Operation, lock: Lock): Promise<void> {
    const { store } = this.#context;
    let operation = begun;
    await this.#tellStart(operation);
    for (let index = currentStepIndex(operation); index >= 0; index = currentStepIndex(operation)) {
      if (this.#draining && operation.steps[index]?.state === 'pending') return;
      const name = operation.steps[index]?.name ?? '';
      this.#announce('step.started', operation, { step: name });
      const result = await this.#runStep(operation, name, lock);
      if (result === 'interrupted') return;
      const ended = endStep(operation, index, result);
      // The end of one step and the beginning of the next are one write.
      const steps = this.#draining ? ended.steps : beginStep(ended.steps, currentStepIndex(ended));
      operation = await store.operations.update(operation.uuid, { ...ended, steps }, lock);
      this.#tellStep(operation, operation.steps[index]);
    }
    const finished = await finishOperation(this.#context, operation, lock);
    this.#announce(finished.state === 'succeeded' ? 'operation.finished' : 'operation.failed', finished, {
      error: finished.error,
    });
    const facts = {
      node: finished.nodeUuid,
      operation: finished.uuid,
      verb: finished.verb,
      state: finished.state,
      error: finished.error,
    };
    this.#context.log.info(facts, 'operation ended');
  }

  async #runStep(operation: Operation, name: string, lock: Lock): Promise<StepResult | 'interrupted'> {
    const context = this.#context;
    const definition = stepDefinition(name);
    const limit = createStepSignal(context.stepTimeoutMs, this.#abort.signal);
    try {
      const node = await context.store.nodes.find(operation.nodeUuid);
      if (node === undefined || definition === undefined) {
        throw new IronbarkError('INTERNAL', `Step ${name} cannot be run: it is unknown, or its node is gone.`);
      }
      const task = await createTask(context, node, {
        scope: journalScope(name),
        fence: lock,
        signal: limit.signal,
        bindings: { operation: operation.uuid },
      });
      const work = definition.run({ context, task, fence: lock, operation });
      return { kind: (await withinSignal(work, task.signal)) ?? 'next' };
    } catch (error) {
      if (isIronbarkError(error, 'LOCK_LOST')) throw error;
      if (this.#abort.signal.aborted) return 'interrupted';
      const message = limit.isOverdue ? `It did not end within ${context.stepTimeoutMs / 1000} s.` : explain(error);
      return { kind: 'failed', message };
    } finally {
      limit.release();
    }
  }

  async #tellStart({ uuid, nodeUuid, verb, error }: Operation): Promise<void> {
    this.#context.events.emit('operation.started', nodeUuid, { operation: uuid, verb });
    const { hooks, log } = this.#context;
    await withinBound(
      hooks.operationStarted.promise({ operationUuid: uuid, nodeUuid, verb, error, durationMs: null }),
    ).catch((reason: unknown) => {
      log.warn({ node: nodeUuid, operation: uuid, error: explain(reason) }, 'a tap of operationStarted failed');
    });
  }

  #announce(type: string, operation: Operation, facts: Info): void {
    this.#context.events.emit(type, operation.nodeUuid, { operation: operation.uuid, verb: operation.verb, ...facts });
  }

  #tellStep(operation: Operation, step: Step | undefined): void {
    if (step === undefined) return;
    const durationMs = step.startedAt && step.finishedAt ? Date.parse(step.finishedAt) - Date.parse(step.startedAt) : 0;
    const told = { step: step.name, state: step.state, error: step.error, duration_ms: durationMs };
    this.#announce('step.finished', operation, told);
    const facts = { node: operation.nodeUuid, operation: operation.uuid, ...told };
    if (step.state === 'failed') this.#context.log.warn(facts, 'step failed');
    else this.#context.log.debug(facts, 'step done');
  }
}

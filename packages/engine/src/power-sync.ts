import { setImmediate as nextTurn } from 'node:timers/promises';
import { explain, IronbarkError, isIronbarkError, type Node, type PowerState, type Task } from '@ironbark/core';
import type { EngineContext } from './context.ts';
import { withinBound } from './hook-call.ts';
import { inParallel } from './in-parallel.ts';
import { isLocked, withLock } from './node-lock.ts';
import { VolumeFollower, type KnownPowerState } from './operations/follow-volumes.ts';
import type { OperationRunner } from './operations/runner.ts';
import { createStepSignal, type StepSignal } from './operations/step-signal.ts';
import { aliveWithinMs } from './services/drivers.ts';
import { createTask } from './task.ts';
import { withinSignal } from './within-signal.ts';

/** The nodes of a pass: those whose BMCs have answered at the last look, those whose have not, or all. */
export type NodesOfPass = 'answering' | 'silent' | 'all';

/** Keeps the recorded power states true, and lets the volumes of active machines follow the power that changed by itself. */
export class PowerSync {
  readonly #context: EngineContext;
  readonly #follower: VolumeFollower;
  /** Why a node's power state could not be read at the last look. */
  readonly #failures = new Map<string, string>();

  constructor(context: EngineContext, runner: OperationRunner) {
    this.#context = context;
    this.#follower = new VolumeFollower(context, runner);
  }

  /** Looks once at each of the nodes. */
  async pass(which: NodesOfPass, signal: AbortSignal): Promise<void> {
    const { store, hostname, syncPowerStateWorkers } = this.#context;
    const all = await store.nodes.uuids();
    this.#forgetAllBut(new Set(all));
    const uuids = which === 'all' ? all : all.filter((uuid) => this.#failures.has(uuid) === (which === 'silent'));
    const conductors = await store.conductors.list(aliveWithinMs(this.#context));
    const others = new Set(conductors.flatMap((one) => (one.alive && one.hostname !== hostname ? [one.hostname] : [])));
    await inParallel(uuids, syncPowerStateWorkers, async (uuid) => {
      // Machines that answer at once, or are skipped, would otherwise keep everybody else waiting.
      await nextTurn();
      if (signal.aborted) return;
      const node = await store.nodes.find(uuid);
      if (node !== undefined && !others.has(node.conductor ?? '') && (await this.#isDue(node)))
        await this.#look(node, signal);
      else this.#follower.overlook(uuid);
    });
  }

  async #isDue(node: Node): Promise<boolean> {
    return !node.maintenance && node.provisionState !== 'enroll' && !(await isLocked(this.#context, node));
  }

  async #look(node: Node, signal: AbortSignal): Promise<void> {
    const limit = createStepSignal(this.#context.powerTimeoutMs, signal);
    try {
      const seen = await this.#read(node, limit);
      if (signal.aborted) return;
      if (seen === undefined) {
        this.#follower.overlook(node.uuid);
        return;
      }
      if (seen.powerState !== node.powerState) await this.#correct(node.uuid, limit.signal);
      await this.#follower.follow(seen.task, seen.powerState);
    } catch (error) {
      // Whoever holds the node will leave the record true, or has deleted it.
      if (signal.aborted || isIronbarkError(error, 'NODE_LOCKED') || isIronbarkError(error, 'NOT_FOUND')) return;
      this.#context.log.warn({ node: node.uuid, error: explain(error) }, 'the power state could not be followed');
    } finally {
      limit.release();
    }
  }

  async #read(node: Node, limit: StepSignal): Promise<{ task: Task; powerState: KnownPowerState } | undefined> {
    const { log, powerTimeoutMs } = this.#context;
    try {
      const task = await createTask(this.#context, node, { scope: 'power', signal: limit.signal });
      const powerState = await withinSignal(task.driver.power.getPowerState(task), limit.signal);
      if (powerState === 'error')
        throw new IronbarkError('BMC_FAILURE', 'The BMC does not say whether it is on or off.');
      if (this.#failures.delete(node.uuid)) log.info({ node: node.uuid }, 'the power state can be read again');
      return { task, powerState };
    } catch (error) {
      const isStopped = limit.signal.aborted && !limit.isOverdue;
      const reason = limit.isOverdue ? `The BMC did not answer within ${powerTimeoutMs / 1000} s.` : explain(error);
      const condition = isIronbarkError(error) && !limit.isOverdue ? error.code : reason;
      if (!isStopped) await this.#tellFailure(node, reason, condition);
      return undefined;
    }
  }

  /**
   * Records a state that differs from the record. It is read once more with the node locked: a power action may have come in between.
   * @throws NODE_LOCKED.
   */
  async #correct(nodeUuid: string, signal: AbortSignal): Promise<void> {
    const context = this.#context;
    const correction = await withLock(
      context,
      nodeUuid,
      async (fence) => {
        const node = await context.store.nodes.find(nodeUuid);
        if (node === undefined) return undefined;
        const task = await createTask(context, node, { scope: 'power', fence, signal });
        const powerState = await withinSignal(task.driver.power.getPowerState(task), signal);
        if (powerState === node.powerState || powerState === 'error') return undefined;
        await context.store.nodes.update(nodeUuid, { powerState }, fence);
        return { node, powerState };
      },
      0,
    );
    if (correction !== undefined) await this.#tellCorrection(correction.node, correction.powerState);
  }

  async #tellCorrection(node: Node, powerState: PowerState): Promise<void> {
    const { events, notifier, log } = this.#context;
    const facts = { from_power: node.powerState, power_state: powerState };
    log.info({ node: node.uuid, ...facts }, 'the machine is in another power state than the record said');
    events.emit('power_state.corrected', node.uuid, facts);
    // A state that was never known was not wrong.
    if (node.powerState === null) return;
    await notifier.node('power_state_corrected', 'success', { ...node, powerState }, { from_power: node.powerState });
  }

  /** Told once, until the machine answers or fails in another way. */
  async #tellFailure(node: Node, reason: string, condition: string): Promise<void> {
    const { log, hooks } = this.#context;
    if (this.#failures.get(node.uuid) !== condition)
      log.warn({ node: node.uuid, error: reason }, 'the power state could not be read');
    this.#failures.set(node.uuid, condition);
    await withinBound(hooks.powerSyncFailed.promise(node, reason)).catch((failure: unknown) => {
      log.warn({ node: node.uuid, error: explain(failure) }, 'a tap of powerSyncFailed failed');
    });
  }

  #forgetAllBut(uuids: ReadonlySet<string>): void {
    for (const uuid of this.#failures.keys()) if (!uuids.has(uuid)) this.#failures.delete(uuid);
    this.#follower.forgetAllBut(uuids);
  }
}

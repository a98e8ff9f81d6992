import { isIronbarkError, type Node, type PowerState, type Task } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import { storeOperation, withOperationLock } from './begin.ts';
import { followUpSteps, type FollowUpVerb } from './definitions.ts';
import type { OperationRunner } from './runner.ts';
import { areVolumesInPlace, followsPower } from './volumes.ts';

export type KnownPowerState = Exclude<PowerState, 'error'>;

interface Attempt {
  readonly verb: FollowUpVerb;
  readonly count: number;
  readonly notBefore: number;
}

/** The longest time between two attempts for one node, where the looks themselves are not further apart. */
const longestDelayMs = 3_600_000;
/** Longer than a machine is off while it restarts, and than BMCs call it so that have just been restarted themselves. */
const restartMs = 45_000;

/**
 * Begins operations for active machines whose power has changed by itself: volumes of one that is off are detached, one that runs without
 * its volumes gets them. An attempt that has not helped, whatever the reason, is repeated after a time that doubles.
 */
export class VolumeFollower {
  readonly #context: EngineContext;
  readonly #runner: OperationRunner;
  readonly #attempts = new Map<string, Attempt>();
  /** Since when each machine was off at every look. */
  readonly #offSince = new Map<string, number>();
  #open = 0;

  constructor(context: EngineContext, runner: OperationRunner) {
    this.#context = context;
    this.#runner = runner;
  }

  /**
   * @param task with the record as it was before this look.
   * @param powerState what the machine says now.
   */
  async follow(task: Task, powerState: KnownPowerState): Promise<void> {
    const { uuid } = task.node;
    const verb = await this.#wanted(task, powerState, this.#timeOff(task.node, powerState));
    if (verb === undefined) {
      this.#attempts.delete(uuid);
      return;
    }
    const last = this.#attempts.get(uuid);
    const count = last?.verb === verb ? last.count + 1 : 1;
    if (last?.verb === verb && Date.now() < last.notBefore) return;
    if (!(await this.#begin(uuid, verb))) return;
    const delayMs = Math.min(this.#context.syncPowerStateIntervalMs * 2 ** count, longestDelayMs);
    this.#attempts.set(uuid, { verb, count, notBefore: Date.now() + delayMs });
  }

  /** The node was not looked at, or its BMC did not answer: what earlier looks saw does not count any more. */
  overlook(nodeUuid: string): void {
    this.#offSince.delete(nodeUuid);
  }

  forgetAllBut(uuids: ReadonlySet<string>): void {
    for (const map of [this.#attempts, this.#offSince])
      for (const uuid of map.keys()) if (!uuids.has(uuid)) map.delete(uuid);
  }

  /** For how long the machine was off at every look; the record tells of power actions in between. In milliseconds. */
  #timeOff({ uuid, powerState: recorded }: Node, powerState: KnownPowerState): number {
    if (powerState !== 'power off') {
      this.#offSince.delete(uuid);
      return 0;
    }
    const now = Date.now();
    const since = recorded === 'power off' ? (this.#offSince.get(uuid) ?? now) : now;
    this.#offSince.set(uuid, since);
    return now - since;
  }

  async #wanted(task: Task, powerState: KnownPowerState, timeOffMs: number): Promise<FollowUpVerb | undefined> {
    if (!followsPower(task.driver)) return undefined;
    if (powerState === 'power off' && timeOffMs < restartMs) return undefined;
    const isOn = powerState === 'power on';
    if (await areVolumesInPlace(this.#context, task, isOn)) return undefined;
    return isOn ? 'attach' : 'detach';
  }

  /** @returns false when the node or the conductor is busy. */
  async #begin(nodeUuid: string, verb: FollowUpVerb): Promise<boolean> {
    const runner = this.#runner;
    // Requests need workers too, also when the power of a whole room has failed.
    if (this.#open >= Math.max(1, Math.floor(this.#context.workers / 2))) return false;
    this.#open += 1;
    let run: Promise<void> | undefined;
    try {
      await withOperationLock(
        this.#context,
        nodeUuid,
        runner,
        async (node, lock) => {
          if (node.provisionState !== 'active' || node.maintenance) return false;
          runner.assertFreeWorker();
          const wanted = { verb, steps: followUpSteps[verb], parameters: {}, nodeFields: {} };
          const { operation } = await storeOperation(this.#context, node, wanted, lock);
          run = runner.run(operation, lock);
          return true;
        },
        0,
      );
    } catch (error) {
      if (!['NODE_LOCKED', 'NO_FREE_WORKER', 'NOT_FOUND'].some((code) => isIronbarkError(error, code))) throw error;
    } finally {
      void (run ?? Promise.resolve()).finally(() => (this.#open -= 1));
    }
    return run !== undefined;
  }
}

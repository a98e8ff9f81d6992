import {
  IronbarkError,
  isIronbarkError,
  type PowerInterface,
  type PowerState,
  type PowerTarget,
  type Task,
} from '@ironbark/core';
import { pause, type ComputerSystem, type RedfishPowerState, type ResetType } from '@ironbark/redfish';
import { redfishProperties, validateDriverInfo } from './driver-info.ts';
import type { PowerPatience } from './options.ts';
import type { RedfishSystems } from './redfish-systems.ts';

/** One change of the power state, as part of an action. */
interface Phase {
  readonly wanted: 'On' | 'Off';
  /** Ways to get there, the best first. */
  readonly resetTypes: readonly ResetType[];
  /** States in which the machine is on its way already, so that nothing is requested. */
  readonly underWay: readonly RedfishPowerState[];
  readonly isSoft: boolean;
}

const on: Phase = {
  wanted: 'On',
  resetTypes: ['On', 'ForceOn', 'PushPowerButton'],
  underWay: ['PoweringOn', 'PoweringOff'],
  isSoft: false,
};
/** A machine whose operating system shuts down for ever is switched off all the same. */
const off: Phase = { wanted: 'Off', resetTypes: ['ForceOff'], underWay: [], isSoft: false };
const softOff: Phase = {
  wanted: 'Off',
  resetTypes: ['GracefulShutdown', 'PushPowerButton'],
  underWay: ['PoweringOff'],
  isSoft: true,
};

/**
 * A restart is made of off and on: each can be seen in the power state, where a restart at one go cannot be told from one that did
 * not happen. Off does nothing to a machine that is off.
 */
const phases: Readonly<Record<PowerTarget, readonly Phase[]>> = {
  'power on': [on],
  'power off': [off],
  rebooting: [off, on],
  'soft power off': [softOff],
  'soft rebooting': [softOff, on],
};

/** Power of machines behind a Redfish BMC. */
export class RedfishPower implements PowerInterface {
  readonly properties = redfishProperties;
  readonly #systems: RedfishSystems;
  readonly #patience: PowerPatience;

  constructor(systems: RedfishSystems, patience: PowerPatience) {
    this.#systems = systems;
    this.#patience = patience;
  }

  async validate(task: Task): Promise<void> {
    await validateDriverInfo(task.node);
  }

  async getPowerState(task: Task): Promise<PowerState> {
    return this.#systems.use(task, async (system) => toPowerState(await system.powerState(task.signal)));
  }

  async setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    await this.#systems.use(task, async (system) => {
      for (const phase of phases[target]) {
        await new PowerChange(task, system, this.#patience).run(target, phase, timeoutMs);
      }
    });
  }
}

function toPowerState(state: RedfishPowerState | null): PowerState {
  if (state === null) return 'error';
  // A machine that is going down still uses its volumes.
  return state === 'Off' ? 'power off' : 'power on';
}

class PowerChange {
  readonly #task: Task;
  readonly #system: ComputerSystem;
  readonly #patience: PowerPatience;

  constructor(task: Task, system: ComputerSystem, patience: PowerPatience) {
    this.#task = task;
    this.#system = system;
    this.#patience = patience;
  }

  /** @throws POWER_STATE_FAILURE when the time is up. */
  async run(target: PowerTarget, phase: Phase, timeoutMs: number): Promise<void> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(this.#tooLate(target, phase, timeoutMs)), timeoutMs);
    try {
      await this.#change(phase, AbortSignal.any([this.#task.signal, deadline.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Looks before it requests, and after: also an answer that was lost may have been an action that was taken. */
  async #change(phase: Phase, signal: AbortSignal): Promise<void> {
    let state = await this.#system.powerState(signal);
    let isAccepted = false;
    for (let attempt = 1; state !== phase.wanted;) {
      if (!isAccepted && (state === null || !phase.underWay.includes(state))) {
        isAccepted = await this.#request(phase, attempt, signal);
        attempt += 1;
      }
      await this.#pause(signal);
      state = await this.#look(signal);
    }
  }

  /** @returns whether the BMC took the action; otherwise the caller looks what became of it. */
  async #request(phase: Phase, attempt: number, signal: AbortSignal): Promise<boolean> {
    try {
      const resetType = await this.#system.reset(phase.resetTypes, signal);
      this.#task.log.info({ resetType, system: this.#system.path }, 'The BMC accepted a power action.');
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      // BMCs refuse to switch on what is on: somebody else was quicker.
      if ((await this.#look(signal)) === phase.wanted) return true;
      if (!isIronbarkError(error) || !error.retryable || attempt >= this.#patience.attempts) throw error;
      this.#task.log.warn({ err: error, attempt }, 'The BMC did not take a power action; it is requested again.');
      return false;
    }
  }

  /** A BMC may be away for a while when the power changes. */
  async #look(signal: AbortSignal): Promise<RedfishPowerState | null> {
    try {
      return await this.#system.powerState(signal);
    } catch (error) {
      if (signal.aborted || !isIronbarkError(error) || !error.retryable) throw error;
      return null;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await pause(
      this.#patience.pollIntervalMs,
      signal,
      `BMC ${this.#system.client.address}: power of ${this.#system.path}`,
    );
  }

  #tooLate(target: PowerTarget, { wanted, isSoft }: Phase, timeoutMs: number): IronbarkError {
    const { uuid } = this.#task.node;
    const message = `Node ${uuid} did not reach the power state ${wanted} within ${timeoutMs / 1000} s of "${target}".`;
    const hint = isSoft
      ? 'The operating system did not react: look at the console, or use the action that is not soft.'
      : `Look at the console of the machine and into the log of BMC ${this.#system.client.address}.`;
    return new IronbarkError('POWER_STATE_FAILURE', message, { hint, details: { system: this.#system.path, target } });
  }
}

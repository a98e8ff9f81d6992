import {
  endsPoweredOn,
  IronbarkError,
  type BootDevice,
  type BootMode,
  type Node,
  type PowerInterface,
  type PowerState,
  type PowerTarget,
  type Task,
} from '@ironbark/core';
import { SteppedClock } from './stepped-clock.ts';

/** A machine of {@link MemoryMachines}: what its BMC would say, and what is wrong with it. */
export interface MemoryMachine {
  powerState: 'power on' | 'power off';
  /** How often it was started. */
  boots: number;
  bootDevice: BootDevice | null;
  persistent: boolean | null;
  bootMode: BootMode;
  httpBootUrl: string | null;
  /** Null: the machine has no Secure Boot. */
  secureBoot: boolean | null;
  hasOneBootMode: boolean;
  ignoresSoftActions: boolean;
  ignoresAllActions: boolean;
  ignoresSettings: boolean;
  unreachable: boolean;
}

/** Machines in memory, found by the uuid of their node; a machine that nobody asked for yet is off. */
export class MemoryMachines {
  readonly #machines = new Map<string, MemoryMachine>();

  /** The machine itself, as somebody who stands in front of it sees and changes it. */
  of(node: Pick<Node, 'uuid'>): MemoryMachine {
    const known = this.#machines.get(node.uuid);
    if (known !== undefined) return known;
    const machine: MemoryMachine = {
      powerState: 'power off',
      boots: 0,
      bootDevice: null,
      persistent: null,
      bootMode: 'uefi',
      httpBootUrl: null,
      secureBoot: false,
      hasOneBootMode: false,
      ignoresSoftActions: false,
      ignoresAllActions: false,
      ignoresSettings: false,
      unreachable: false,
    };
    this.#machines.set(node.uuid, machine);
    return machine;
  }

  /** The machine through its BMC. @throws BMC_UNREACHABLE. */
  reach(node: Node): MemoryMachine {
    const machine = this.of(node);
    if (!machine.unreachable) return machine;
    throw new IronbarkError('BMC_UNREACHABLE', `The BMC of node ${node.uuid} does not answer.`, {
      hint: 'Check that the BMC has power and that the conductor can reach it.',
      retryable: true,
    });
  }
}

const pollIntervalMs = 1000;

/** A power interface for {@link MemoryMachines} that keeps the contract; all targets are supported. */
export class MemoryPower implements PowerInterface {
  readonly machines: MemoryMachines;
  readonly clock: SteppedClock;

  constructor(machines = new MemoryMachines(), clock = new SteppedClock({ freeRunning: true })) {
    this.machines = machines;
    this.clock = clock;
  }

  async validate(_task: Task): Promise<void> {}

  async getPowerState(task: Task): Promise<PowerState> {
    await Promise.resolve();
    task.signal.throwIfAborted();
    return this.machines.reach(task.node).powerState;
  }

  async setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    await Promise.resolve();
    task.signal.throwIfAborted();
    const machine = this.machines.reach(task.node);
    const isSoft = target.startsWith('soft');
    if (target !== 'power on' && machine.powerState === 'power on') {
      const ignored = machine.ignoresAllActions || (isSoft && machine.ignoresSoftActions);
      if (!ignored) machine.powerState = 'power off';
      await this.#until(task, 'power off', timeoutMs);
    }
    if (endsPoweredOn(target) && machine.powerState === 'power off') {
      if (!machine.ignoresAllActions) start(machine);
      await this.#until(task, 'power on', timeoutMs);
    }
  }

  async #until(task: Task, wanted: PowerState, timeoutMs: number): Promise<void> {
    const deadline = this.clock.now() + timeoutMs;
    while (this.machines.reach(task.node).powerState !== wanted) {
      if (this.clock.now() >= deadline) {
        throw new IronbarkError(
          'POWER_STATE_FAILURE',
          `Node ${task.node.uuid} did not reach "${wanted}" within ${timeoutMs} ms.`,
          { hint: 'Look at the console of the machine, or use a hard power action.' },
        );
      }
      await this.clock.sleep(pollIntervalMs, task.signal);
    }
  }
}

function start(machine: MemoryMachine): void {
  machine.powerState = 'power on';
  machine.boots += 1;
}

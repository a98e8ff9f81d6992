import type { Node } from '@ironbark/core';
import type { FakeMachine, MachineStates } from './machine.ts';

/** The machines behind the fake interfaces. */
export class FakeMachines {
  readonly #states: MachineStates;

  constructor(states: MachineStates) {
    this.#states = states;
  }

  /** A machine that nothing is known about is in the power state of its node's record, else off. */
  async read(node: Node): Promise<FakeMachine> {
    const known = await this.#states.read(node.uuid);
    if (known !== undefined) return known;
    return {
      powerState: node.powerState === 'power on' ? 'power on' : 'power off',
      boots: 0,
      bootDevice: null,
      persistent: null,
      bootMode: 'uefi',
      httpBootUrl: null,
      secureBoot: false,
    };
  }

  async change(node: Node, change: Partial<FakeMachine>): Promise<void> {
    await this.#states.write(node.uuid, { ...(await this.read(node)), ...change });
  }
}

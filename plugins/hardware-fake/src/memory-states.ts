import type { FakeMachine, MachineStates } from './machine.ts';
import { RecentMap } from './recent-map.ts';

/** More machines than one conductor has; a machine is about 200 bytes. */
const maxMachines = 50_000;

/**
 * States in memory. When there are too many, the machine that was used least recently is forgotten; it is then in the power state
 * that its node's record says.
 */
export class MemoryStates implements MachineStates {
  readonly #machines: RecentMap<FakeMachine>;

  constructor(limit: number = maxMachines) {
    this.#machines = new RecentMap(limit);
  }

  read(nodeUuid: string): Promise<FakeMachine | undefined> {
    return Promise.resolve(this.#machines.get(nodeUuid));
  }

  write(nodeUuid: string, machine: FakeMachine): Promise<void> {
    this.#machines.set(nodeUuid, machine);
    return Promise.resolve();
  }
}

import {
  IronbarkError,
  silentLogger,
  type DeployInterface,
  type Driver,
  type InterfaceTypes,
  type NetworkInterface,
  type Task,
  type VendorInterface,
} from '@ironbark/core';
import { MemoryBoot } from './memory-boot.ts';
import { MemoryJournal } from './memory-journal.ts';
import { MemoryManagement } from './memory-management.ts';
import { MemoryMachines, MemoryPower } from './memory-power.ts';
import { MemoryStorage } from './memory-storage.ts';
import { createNodeRecords } from './records.ts';

/** A driver whose interfaces work in memory; give the ones that matter. */
export function createDriver(interfaces: Partial<InterfaceTypes> = {}): Driver {
  const machines = new MemoryMachines();
  const nothing = async () => {};
  const deploy: DeployInterface = { validate: nothing, deploy: nothing, cleanUp: nothing };
  const vendor: VendorInterface = { validate: nothing, methods: {} };
  const network: NetworkInterface = {
    validate: nothing,
    configureInstanceNetworks: nothing,
    removeInstanceNetworks: nothing,
  };
  return {
    hardwareType: 'fake-hardware',
    names: {
      power: 'fake',
      management: 'fake',
      boot: 'fake',
      storage: 'fake',
      deploy: 'fake',
      vendor: 'fake',
      network: 'fake',
    },
    power: new MemoryPower(machines),
    management: new MemoryManagement(machines),
    boot: new MemoryBoot(),
    storage: new MemoryStorage(),
    deploy,
    vendor,
    network,
    ...interfaces,
  };
}

/** A task on a node with two ports, a connector and a boot volume; every part can be given. The journal is empty and one for all interfaces, the signal never aborts. */
export function createTask(overrides: Partial<Task> = {}): Task {
  return {
    ...createNodeRecords(),
    driver: createDriver(),
    signal: new AbortController().signal,
    log: silentLogger,
    journal: new MemoryJournal(),
    forInterface(this: Task) {
      return this;
    },
    ...overrides,
  };
}

/** Why the suites abort a task. */
export function abortReason(): IronbarkError {
  return new IronbarkError('OPERATION_ABORTED', 'The test aborted the task.');
}

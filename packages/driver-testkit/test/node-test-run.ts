// Run by runners.test.ts under Node's own test runner.
import { describe, it } from 'node:test';
import { describeBootDriver } from '@ironbark/driver-testkit/boot';
import { describeManagementDriver } from '@ironbark/driver-testkit/management';
import { describePowerDriver } from '@ironbark/driver-testkit/power';
import { describeStorageDriver } from '@ironbark/driver-testkit/storage';
import { MemoryStorage, type MemoryArray } from '@ironbark/driver-testkit/fakes';
import { bootHarness, managementHarness, powerHarness, storageHarness } from './reference-harnesses.ts';

class ForgetsToDetach extends MemoryStorage {
  override async detach(): Promise<void> {}
}

const runner = { describe, it };
describePowerDriver(runner, powerHarness());
describeManagementDriver(runner, managementHarness());
describeBootDriver(runner, bootHarness());
const make = process.argv.includes('mutant') ? (array: MemoryArray) => new ForgetsToDetach(array) : undefined;
describeStorageDriver(runner, storageHarness(make));

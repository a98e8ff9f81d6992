import { describe, it } from 'vitest';
import { describeBootDriver } from '../src/boot.ts';
import { describeManagementDriver } from '../src/management.ts';
import { describePowerDriver } from '../src/power.ts';
import { describeStorageDriver } from '../src/storage.ts';
import { bootHarness, managementHarness, powerHarness, storageHarness, SystemsBoot } from './reference-harnesses.ts';

describePowerDriver({ describe, it }, powerHarness());
describeManagementDriver({ describe, it }, managementHarness());
describe('without Secure Boot', () => {
  describeManagementDriver({ describe, it }, managementHarness(undefined, false));
});
describeStorageDriver({ describe, it }, storageHarness());
describeBootDriver({ describe, it }, bootHarness());
describe('with systems of images', () => {
  describeBootDriver(
    { describe, it },
    bootHarness((tree) => new SystemsBoot(tree)),
  );
});

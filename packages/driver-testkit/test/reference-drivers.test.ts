import { describe, it } from 'vitest';
import { describeBootDriver } from '../src/boot.ts';
import { describeManagementDriver } from '../src/management.ts';
import { describePowerDriver } from '../src/power.ts';
import { describeStorageDriver } from '../src/storage.ts';
import { bootHarness, managementHarness, powerHarness, storageHarness } from './reference-harnesses.ts';

describePowerDriver({ describe, it }, powerHarness());
describeManagementDriver({ describe, it }, managementHarness());
describeStorageDriver({ describe, it }, storageHarness());
describeBootDriver({ describe, it }, bootHarness());

import type { BootDevice, BootMode } from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import type { Bench } from './bench.ts';
import type { Fixture, Harness, TestRunner } from './harness.ts';

/**
 * - `ignores_settings`: the BMC takes every setting and keeps the old one.
 * - `one_boot_mode`: the machine has the boot mode that it is in, and no other.
 * - `unreachable`: the BMC does not answer.
 * - `unauthorized`: the BMC refuses the credentials.
 */
export type ManagementFault = 'ignores_settings' | 'one_boot_mode' | 'unreachable' | 'unauthorized';

export interface ManagementOptions {
  /** One machine is wanted for each of these records. */
  readonly records: readonly NodeRecords[];
}

/** What a BMC really has set, whatever the driver says. */
export interface ObservedSettings {
  readonly bootDevice: BootDevice | null;
  readonly persistent: boolean | null;
  /** Null when the machine has one boot mode only. */
  readonly bootMode: BootMode | null;
  /** Null when none is set, or when the BMC cannot hold one. */
  readonly httpBootUrl: string | null;
  /** What counts from the next start on. Null when the machine has no Secure Boot. Default: null. */
  readonly secureBoot?: boolean | null;
}

export interface ManagementFixture extends Fixture<'management', ManagementFault> {
  observe(records: NodeRecords): Promise<ObservedSettings> | ObservedSettings;
}

export type ManagementHarness = Harness<ManagementOptions, ManagementFixture, ManagementFault>;

export type ManagementBench = Bench<'management', ManagementFault, ManagementFixture>;

export interface ManagementContext {
  readonly runner: TestRunner;
  readonly harness: ManagementHarness;
  readonly use: (body: (bench: ManagementBench) => Promise<void>) => Promise<void>;
  readonly has: (fault: ManagementFault) => boolean;
}

import assert from 'node:assert/strict';
import type { AttachedVolume, StorageInterface } from '@ironbark/core';
import type { OnCreate } from '../fakes/memory-storage.ts';
import type { NodeRecords } from '../fakes/records.ts';
import type { Bench } from './bench.ts';
import type { Fixture, Harness, TestRunner } from './harness.ts';

/**
 * - `attach_refused`: the backend refuses to attach the volume.
 * - `release_refused`: the backend refuses to release the volume.
 * - `release_ignored`: the backend says that it released the volume, and keeps it.
 * - `unreachable`: the backend does not answer.
 */
export type StorageFaultName = 'attach_refused' | 'release_refused' | 'release_ignored' | 'unreachable';

export type StorageFault =
  | { readonly name: Exclude<StorageFaultName, 'unreachable'>; readonly volumeId: string }
  | { readonly name: 'unreachable' };

export interface StorageOptions {
  /** Nodes with volumes that have to exist in the backend and are attached to nobody. */
  readonly records: readonly NodeRecords[];
  /**
   * A managed backend calls it before and after it makes anything for a volume (an attachment, a reservation, an export), and waits
   * for the answer: the suite looks at the journal then, or lets the conductor die.
   */
  readonly onCreate: OnCreate;
  /** One of the harness's variants; undefined when it has none. */
  readonly variant: string | undefined;
}

export interface StorageFixture extends Fixture<'storage', StorageFault> {
  /** Ids of the volumes of which the backend holds anything for the node, also half-made; one entry for each attachment. */
  observe(records: NodeRecords): Promise<readonly string[]> | readonly string[];
  /**
   * A new driver on the same backend, as after a restart of the conductor.
   * @param variant as another variant than before. Default: the same.
   */
  restart(variant?: string): Promise<StorageInterface> | StorageInterface;
  /** Takes all injected faults back. Needed with faults. */
  repair?(): void | Promise<void>;
}

export interface StorageHarness extends Harness<StorageOptions, StorageFixture, StorageFaultName> {
  /** Whether the driver makes and releases attachments, or only knows volumes that others export all the time. */
  readonly attachments: 'managed' | 'static';
  /** When an image is written to the machine's own disk. Default: unless a boot volume has its system already. */
  readonly writesImage?: 'always' | 'unless_boot_volume';
  /**
   * Whether `attach` returns a connection for every target. A driver that ignores volume targets says `none`. Default: `all`.
   */
  readonly connects?: 'all' | 'none';
  /**
   * Ways in which the driver can be set up to talk to the same backend, such as the old and the new protocol of a service. The suite runs
   * once for each, and lets each finish what another has begun. Default: there is one way.
   */
  readonly variants?: readonly string[];
  /** Whether the driver has `reconcile` and `findOrphans`. Default: neither. */
  readonly reconciles?: boolean;
  /** What `followsPower` of the driver has to be. Default: true. */
  readonly followsPower?: boolean;
}

export type StorageBench = Bench<'storage', StorageFault, StorageFixture>;

export interface StorageContext {
  readonly runner: TestRunner;
  readonly harness: StorageHarness;
  readonly variant: string | undefined;
  readonly isManaged: boolean;
  /** Runs a test with one node for each number of volumes. */
  readonly use: (
    volumes: readonly number[],
    body: (bench: StorageBench) => Promise<void>,
    watch?: StorageWatch,
  ) => Promise<void>;
  readonly has: (fault: StorageFaultName) => boolean;
}

/** What a test wants to hear while the driver works. */
export interface StorageWatch {
  readonly onCreate?: OnCreate;
  readonly onPut?: (key: string) => void;
}

export function volumeIds(records: NodeRecords): readonly string[] {
  return records.volumeTargets.map((target) => target.volumeId);
}

export function volumeId(records: NodeRecords, index: number): string {
  const target = records.volumeTargets[index];
  assert.ok(target !== undefined, `the harness returned records with fewer than ${index + 1} volumes`);
  return target.volumeId;
}

/** Fails unless the backend holds exactly these volumes for the node, each once. A static backend never holds any. */
export async function assertHeld(
  context: StorageContext,
  bench: StorageBench,
  records: NodeRecords,
  expected: readonly string[],
  message?: string,
): Promise<void> {
  const held = await bench.fixture.observe(records);
  assert.deepEqual([...held].sort(), context.isManaged ? [...expected].sort() : [], message);
}

export function idsOf(volumes: readonly AttachedVolume[]): readonly string[] {
  return volumes.map(({ target }) => target.volumeId);
}

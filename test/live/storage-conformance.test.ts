import { silentLogger } from '@ironbark/core';
import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { describeStorageDriver, type StorageFault, type StorageOptions } from '@ironbark/driver-testkit/storage';
import { OpenStackAccess } from '@ironbark/lab/openstack';
import { createBlockStorage, Session, type BlockStorage } from '@ironbark/openstack';
import { cinderConfig, CinderStorage } from '@ironbark/storage-cinder';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { cinderSettings } from './cinder-settings.ts';
import { interceptService, type Interception } from './intercepted-service.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const sessions: Session[] = [];
/** Longer than a request takes here, and shorter than the patience of the suite. */
const settleMs = 2000;
/** More than any node of the suite has. */
const pool: string[] = [];
let service: BlockStorage;
let unreachable: BlockStorage;

function settings(more: Readonly<Record<string, unknown>> = {}) {
  return cinderConfig.parse({ ...cinderSettings(openstack.details), action_retries: 1, retries: 0, ...more });
}

function serviceWith(more: Readonly<Record<string, unknown>> = {}): BlockStorage {
  const { session: options, endpoint } = settings(more);
  const session = new Session(options, { log: silentLogger, settings: 'settings.cinder' });
  sessions.push(session);
  return createBlockStorage(session, { endpoint });
}

beforeAll(async () => {
  service = serviceWith();
  unreachable = serviceWith({ url: 'http://127.0.0.1:1/v3' });
  for (let number = 0; number < 4; number += 1) {
    pool.push((await openstack.createVolume({ name: `conformance-${number}` })).id);
  }
});

afterAll(async () => {
  for (const id of pool) await openstack.deleteVolume(id);
  for (const session of sessions) await session.close();
});

/** The records with volumes that Cinder has. */
function withVolumes(records: readonly NodeRecords[]): readonly NodeRecords[] {
  const free = [...pool];
  const take = (): string => {
    const id = free.shift();
    if (id === undefined) throw new TypeError(`A test needs more than ${pool.length} volumes.`);
    return id;
  };
  return records.map((record) => {
    const volumeTargets = record.volumeTargets.map((target) => Object.assign({ ...target }, { volumeId: take() }));
    return { ...record, volumeTargets };
  });
}

function createFixture({ records: wanted, onCreate, variant }: StorageOptions) {
  const records = withVolumes(wanted);
  const used = records.flatMap(({ volumeTargets }) => volumeTargets.map(({ volumeId }) => volumeId));
  const interception: Interception = {
    onCreate,
    refusesToAttach: new Set(),
    refusesToRelease: new Set(),
    ignoresRelease: new Set(),
    instead: undefined,
  };
  const make = (attachmentApi = variant) => {
    const { storage } = settings({ attachment_api: attachmentApi });
    return new CinderStorage(interceptService(service, interception), { ...storage, settleMs });
  };
  return {
    driver: make(),
    records,
    restart: make,
    observe,
    inject: (fault: StorageFault, faulty: NodeRecords) => {
      if (fault.name === 'unreachable') interception.instead = unreachable;
      else if (fault.name === 'attach_refused') interception.refusesToAttach.add(fault.volumeId);
      else if (fault.name === 'release_refused') interception.refusesToRelease.add(fault.volumeId);
      else interception.ignoresRelease.add(fault.volumeId);
      return faulty;
    },
    repair: () => {
      interception.instead = undefined;
      const { refusesToAttach, refusesToRelease, ignoresRelease } = interception;
      for (const faults of [refusesToAttach, refusesToRelease, ignoresRelease]) faults.clear();
    },
    dispose: () => cleanUp(used),
  };
}

/** Ends what a test has left attached. Only `os-detach` makes Cinder forget an export that volume actions have made. */
async function cleanUp(volumeIds: readonly string[]): Promise<void> {
  const { signal } = new AbortController();
  const left = (await openstack.attachments()).filter(({ volume_id }) => volumeIds.includes(volume_id));
  for (const { id, volume_id, status } of left) {
    if (status === 'attached') await service.detach(volume_id, id, signal);
    else await service.deleteAttachment(id, signal);
  }
  for (const id of volumeIds) await openstack.resetVolume(id);
}

/** What Cinder and the iSCSI server hold, one entry for each attachment. */
async function observe({ volumeTargets }: NodeRecords): Promise<readonly string[]> {
  const [attachments, leaks] = [await openstack.attachments(), await openstack.leaks()];
  return volumeTargets.flatMap(({ volumeId }) => {
    const count = attachments.filter((attachment) => attachment.volume_id === volumeId).length;
    const isHeld = count > 0 || leaks.some((leak) => leak.includes(volumeId));
    return Array.from({ length: Math.max(count, isHeld ? 1 : 0) }, () => volumeId);
  });
}

describe('Cinder', () => {
  describeStorageDriver(
    { describe, it },
    {
      attachments: 'managed',
      variants: ['attachments', 'volume-actions'],
      reconciles: true,
      faults: ['attach_refused', 'release_refused', 'release_ignored', 'unreachable'],
      create: createFixture,
    },
  );
});

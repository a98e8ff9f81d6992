import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { describeStorageDriver, type StorageFault, type StorageOptions } from '@ironbark/driver-testkit/storage';
import { OpenStackAccess } from '@ironbark/lab/openstack';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { CinderDrivers } from './cinder-driver.ts';
import { interceptService, type Interception } from './intercepted-service.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const drivers = new CinderDrivers(openstack);
/** Nothing listens there, and fetch does not refuse the port by itself. */
const unreachable = drivers.connect({ url: 'http://127.0.0.1:2/v3' });
/** As many as two nodes of the suite have. */
const pool: string[] = [];

beforeAll(async () => {
  for (let number = 0; number < 4; number += 1) {
    pool.push((await openstack.createVolume({ name: `conformance-${number}` })).id);
  }
});

afterAll(async () => {
  for (const id of pool) await openstack.deleteVolume(id);
  await drivers.close();
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
  const service = interceptService(drivers.service, interception);
  const make = (attachmentApi = variant) => drivers.create(attachmentApi, service);
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
    dispose: () => drivers.cleanUp(used),
  };
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

import { describeStorageDriver, type StorageFault, type StorageHarness } from '@ironbark/driver-testkit/storage';
import type { NodeRecords } from '@ironbark/driver-testkit/fakes';
import { describe, it } from 'vitest';
import { CinderStorage } from '../src/index.ts';
import { MemoryBlockStorage } from './support/memory-block-storage.ts';
import { quickOptions } from './support/options.ts';

function change(field: 'volumeType' | 'volumeId', value: string) {
  return (records: NodeRecords): NodeRecords => ({
    ...records,
    volumeTargets: records.volumeTargets.map((target) => Object.assign({ ...target }, { [field]: value })),
  });
}

const harness: StorageHarness = {
  attachments: 'managed',
  variants: ['attachments', 'volume-actions'],
  reconciles: true,
  faults: ['attach_refused', 'release_refused', 'release_ignored', 'unreachable'],
  refuses: [
    { title: 'a volume type that Cinder does not have', field: 'volume type', change: change('volumeType', 'rbd') },
    { title: 'a volume type in upper case', field: 'volume type', change: change('volumeType', 'iSCSI') },
    { title: 'a volume id that is a path', field: 'volume_id', change: change('volumeId', '../../os-services') },
    {
      title: 'one volume in two targets',
      field: 'volume_id',
      change: change('volumeId', '00000005-0000-4000-8000-000000000001'),
    },
  ],
  create({ records, onCreate, variant }) {
    const service = new MemoryBlockStorage();
    service.onCreate = onCreate;
    for (const { volumeTargets } of records) for (const { volumeId } of volumeTargets) service.addVolume(volumeId);
    const make = (name = variant) => {
      return new CinderStorage(service, { ...quickOptions, attachmentApi: name as 'attachments' | 'volume-actions' });
    };
    return {
      driver: make(),
      records,
      restart: make,
      observe: ({ volumeTargets }) => volumeTargets.flatMap(({ volumeId }) => holdings(service, volumeId)),
      inject: (fault, faulty) => {
        inject(service, fault);
        return faulty;
      },
      repair() {
        service.unreachable = false;
        for (const faults of [service.refusesToAttach, service.refusesToRelease, service.ignoresRelease])
          faults.clear();
      },
    };
  },
};

function holdings(service: MemoryBlockStorage, volumeId: string): readonly string[] {
  const volume = service.volumes.get(volumeId);
  const attachments = service.attachmentsOf(volumeId).length;
  const isTouched = volume !== undefined && (volume.status !== 'available' || volume.isExported);
  return Array.from({ length: Math.max(attachments, isTouched ? 1 : 0) }, () => volumeId);
}

function inject(service: MemoryBlockStorage, fault: StorageFault): void {
  if (fault.name === 'unreachable') service.unreachable = true;
  else if (fault.name === 'attach_refused') service.refusesToAttach.add(fault.volumeId);
  else if (fault.name === 'release_refused') service.refusesToRelease.add(fault.volumeId);
  else service.ignoresRelease.add(fault.volumeId);
}

describeStorageDriver({ describe, it }, harness);

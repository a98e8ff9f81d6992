import { describe, expect, it } from 'vitest';
import {
  bootSourceOf,
  explain,
  initiatorOf,
  type AttachedVolume,
  type BootChoice,
  type BootSourceFacts,
  type InstanceImage,
  type IscsiConnection,
  type VolumeConnection,
} from '../src/index.ts';
import { connectors, volumeTarget } from './records.ts';

const iqn = 'iqn.2026-01.org.example:node-1';
const iscsi: IscsiConnection = {
  kind: 'iscsi',
  paths: [{ portal: { host: '192.0.2.1', port: 3260 }, iqn: 'iqn.2026-01.org.example:volume', lun: 1 }],
  chap: null,
};
const fibreChannel: VolumeConnection = {
  kind: 'fibre_channel',
  paths: [{ initiatorWwpn: null, targetWwpn: '500a098280feeba5', lun: 1 }],
};
const kernel = { kind: 'url', url: 'http://192.0.2.1/kernel' } as const;
const ramdisk = { kind: 'glance', id: '7c2f3a9e-1111-4222-8333-444455556666' } as const;
const image: InstanceImage = { kernel, ramdisk, bootIso: null, root: 'LABEL=root', initramfsType: 'dracut' };

function attached(bootIndex: number, connection: VolumeConnection): AttachedVolume {
  return { target: volumeTarget(bootIndex, connection.kind), connection };
}

function choiceOf(kind: BootChoice['kind'], changes: Partial<BootChoice> = {}): BootChoice {
  return {
    kind,
    option: 'netboot',
    volumeTarget: volumeTarget(0),
    nfsRoot: null,
    servesImage: false,
    writesImage: false,
    firmware: { bootMode: null, secureBoot: null },
    ...changes,
  };
}

const facts: BootSourceFacts = {
  node: { uuid: 'node-1' },
  initiator: initiatorOf(connectors(['iqn', iqn])),
  volumes: [attached(0, iscsi)],
  image,
};

describe('the boot source', () => {
  it('holds the boot volume, its further volumes of the same kind in order, and the initiator', () => {
    const volumes = [attached(0, iscsi), attached(1, fibreChannel), attached(2, iscsi)];
    expect(bootSourceOf(choiceOf('iscsi'), { ...facts, volumes })).toEqual({
      kind: 'iscsi',
      initiatorIqn: iqn,
      volume: { targetUuid: 'target-0', volumeId: 'volume-0', connection: iscsi },
      extraVolumes: [{ targetUuid: 'target-2', volumeId: 'volume-2', connection: iscsi }],
      system: null,
    });
  });

  it('holds kernel, ramdisk and root where the boot interface cannot read the volume', () => {
    expect(bootSourceOf(choiceOf('iscsi', { servesImage: true }), facts)).toMatchObject({
      system: { kernel, ramdisk, root: 'LABEL=root', initramfsType: 'dracut' },
    });
  });

  it('holds the export and the kernel of an NFS root', () => {
    const nfsRoot = { kind: 'nfs', server: '192.0.2.30', path: '/root', options: [] } as const;
    const source = bootSourceOf(choiceOf('nfs', { nfsRoot, servesImage: true, volumeTarget: null }), facts);
    expect(source).toEqual({ kind: 'nfs', connection: nfsRoot, kernel, ramdisk });
  });

  it.each(['hba', 'local_disk'] as const)('holds nothing for %s, attached or not', (kind) => {
    expect(bootSourceOf(choiceOf(kind), { ...facts, volumes: [], image: null })).toEqual({ kind });
  });
});

describe('there is no boot source', () => {
  const nfs = { kind: 'nfs', server: '192.0.2.30', path: '/root', options: [] } as const;
  it.each<[string, BootChoice, Partial<BootSourceFacts>, string]>([
    ['when the boot volume is not attached', choiceOf('iscsi'), { volumes: [] }, 'target-0'],
    [
      'when its connection is of another kind',
      choiceOf('iscsi'),
      { volumes: [{ target: volumeTarget(0), connection: fibreChannel }] },
      'has a connection of type fibre_channel',
    ],
    [
      'without a kernel',
      choiceOf('ramdisk', { servesImage: true }),
      { image: { ...image, kernel: null } },
      'instance_info.kernel',
    ],
    [
      'without a ramdisk',
      choiceOf('nfs', { servesImage: true, nfsRoot: nfs }),
      { image: { ...image, ramdisk: null } },
      'ramdisk_id',
    ],
    ['without a root', choiceOf('iscsi', { servesImage: true }), { image: { ...image, root: null } }, 'rootfs_uuid'],
    ['without an ISO image', choiceOf('iso', { servesImage: true }), {}, 'instance_info.boot_iso'],
  ])('%s', (_title, choice, changes, words) => {
    expect(() => bootSourceOf(choice, { ...facts, ...changes })).toThrow(
      expect.toSatisfy((error) => explain(error).includes(words)) as Error,
    );
  });
});

import type { BootSituation, CapabilityTag, Info, VolumeTarget } from '../src/index.ts';
import type { BootRow } from './boot-table.ts';
import { connectors, volumeTarget } from './records.ts';

export const nodeUuid = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123';

const ipxeTags: readonly CapabilityTag[] = [
  'iscsi_volume_boot',
  'fibre_channel_volume_boot',
  'nfs_volume_boot',
  'ramdisk_boot',
  'iso_boot',
  'ipxe_boot',
];

/** What the interfaces of these names declare; `none` and `direct` declare nothing. */
const bootTags: Readonly<Record<string, readonly CapabilityTag[]>> = {
  ipxe: ipxeTags,
  'http-ipxe': [...ipxeTags, 'uefi_only'],
  pxe: ['iscsi_volume_boot', 'ramdisk_boot', 'kernel_from_image', 'uefi_only'],
  none: [],
};
const every: Readonly<Record<string, readonly string[]>> = {
  storage: ['noop', 'external', 'cinder'],
  boot: Object.keys(bootTags),
  deploy: ['volume', 'ramdisk', 'direct'],
};

/** All situations that a row stands for. */
export function situationsOf(row: BootRow): readonly BootSituation[] {
  const choices = (kind: 'storage' | 'boot' | 'deploy') =>
    row[kind] === 'any' ? (every[kind] ?? []) : row[kind].split(', ');
  return choices('storage').flatMap((storage) =>
    choices('boot').flatMap((boot) =>
      choices('deploy').map((deploy) => situationOf(row.asks.split(', '), row.capabilities, { storage, boot, deploy })),
    ),
  );
}

export interface InterfaceNames {
  readonly storage: string;
  readonly boot: string;
  readonly deploy: string;
}

const volumeTypes: Readonly<Record<string, string>> = {
  'iSCSI volume': 'iscsi',
  'FC volume': 'fibre_channel',
  'NFS volume': 'nfs',
};
const instanceFields: Readonly<Record<string, Info>> = {
  image_source: { image_source: '7c2f3a9e-1111-4222-8333-444455556666' },
  kernel: { kernel: 'http://192.0.2.1/kernel', ramdisk: 'http://192.0.2.1/ramdisk' },
  nfs_root: { nfs_root: '192.0.2.30:/exports/node-1' },
  boot_iso: { boot_iso: 'http://192.0.2.1/system.iso' },
};

/** Reads phrases such as `iSCSI volume`, `image_source`, `boot_option netboot`, `prefers local`, `BIOS mode`. */
export function situationOf(asks: readonly string[], capabilities: string, names: InterfaceNames): BootSituation {
  const targets = asks.flatMap((ask): VolumeTarget[] => {
    const type = volumeTypes[ask];
    return type === undefined ? [] : [volumeTarget(0, type)];
  });
  const after = (word: string) => asks.find((ask) => ask.startsWith(`${word} `))?.slice(word.length + 1);
  const has = (ask: string) => asks.includes(ask);
  const nodeCapabilities = [
    ...(capabilities === '-' ? [] : capabilities.split(' ').map((name) => `${name}:True`)),
    ...(after('prefers') === undefined ? [] : [`boot_option:${after('prefers')}`]),
    ...(has('BIOS mode') ? ['boot_mode:bios'] : has('UEFI mode') ? ['boot_mode:uefi'] : []),
  ];
  const instanceInfo = Object.assign(
    {},
    ...asks.map((ask) => instanceFields[ask] ?? {}),
    after('boot_option') === undefined ? {} : { boot_option: after('boot_option') },
    has('Secure Boot') ? { capabilities: { secure_boot: 'true' } } : {},
    has('instance in UEFI mode') ? { capabilities: '{"boot_mode":"uefi"}' } : {},
  ) as Info;
  const hasImage = 'image_source' in instanceInfo;
  const [boot] = targets;
  // As the storage interfaces answer: cinder takes an image for a description of the volume where pxe boots it.
  const describesVolume =
    names.storage === 'cinder' &&
    names.boot === 'pxe' &&
    boot?.volumeType === 'iscsi' &&
    (after('boot_option') ?? after('prefers')) !== 'local';
  return {
    node: {
      uuid: nodeUuid,
      properties: { capabilities: nodeCapabilities.join(',') },
      instanceInfo,
      driverInternalInfo: {},
      bootMode: has('machine in BIOS mode') ? 'bios' : null,
    },
    volumeTargets: targets,
    volumeConnectors: has('no connector') ? [] : connectors(['iqn', 'iqn.2026-01.org.example:node-1']),
    storage: {
      name: names.storage,
      capabilities: names.storage === 'cinder' ? ['image_volumes'] : [],
      writesImage: names.storage === 'noop' || boot === undefined || (hasImage && !describesVolume),
    },
    boot: { name: names.boot, capabilities: bootTags[names.boot] ?? [] },
    deploy: { name: names.deploy, capabilities: names.deploy === 'ramdisk' ? ['ramdisk_deploy'] : [] },
  };
}

import assert from 'node:assert/strict';
import {
  parseIscsi,
  Secret,
  type BootRequest,
  type BootSource,
  type BootVolume,
  type CapabilityTag,
  type IscsiBoot,
  type IscsiConnection,
  type IsoBoot,
  type NfsBoot,
  type RamdiskBoot,
} from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import { contentOfImage, iso, kernel, newIso, newKernel, ramdisk, servedSystem, withImage } from './boot-images.ts';

/** The token of {@link requestOf}; nothing but revealed file contents may show it. */
export const reportToken = 'ReportToken0123456789';

export function requestOf(source: BootSource): BootRequest {
  const prefix = 'http://192.0.2.1:6385/ironbark/v1/boot-report/';
  return { source, reportUrl: { prefix, token: Secret.of(reportToken) } };
}

/** The iSCSI boot source of records whose targets are all of type `iscsi`, as core puts it together for an interface. */
export function iscsiSource(records: NodeRecords, capabilities: readonly CapabilityTag[]): IscsiBoot {
  const volumes = records.volumeTargets.map((target): BootVolume<IscsiConnection> => {
    const connection = parseIscsi(target.properties, `volume target ${target.uuid}`);
    return { targetUuid: target.uuid, volumeId: target.volumeId, connection };
  });
  const [volume, ...extraVolumes] = volumes;
  assert.ok(volume !== undefined, 'the harness returned records without a volume');
  const system = capabilities.includes('kernel_from_image') ? servedSystem : null;
  return { kind: 'iscsi', initiatorIqn: initiatorOf(records), volume, extraVolumes, system };
}

function initiatorOf(records: NodeRecords): string {
  const connector = records.volumeConnectors.find((one) => one.type === 'iqn');
  assert.ok(connector !== undefined, 'the harness returned records without an iqn connector');
  return connector.connectorId;
}

export function nfsSource(): NfsBoot {
  const connection = { kind: 'nfs', server: '192.0.2.30', path: '/exports/node-0', options: ['vers=4.2'] } as const;
  return { kind: 'nfs', connection, kernel, ramdisk };
}

export function ramdiskSource(): RamdiskBoot {
  return {
    kind: 'ramdisk',
    kernel,
    ramdisk,
    parameters: ['console=ttyS0', 'ipa-api-url=http://192.0.2.1:6385'],
  };
}

export function isoSource(): IsoBoot {
  return { kind: 'iso', image: iso };
}

/** A source of every kind that can be declared, with the capability that declares it. */
export const declaredSources: readonly {
  readonly tag: CapabilityTag;
  readonly make: (records: NodeRecords, capabilities: readonly CapabilityTag[]) => BootSource;
}[] = [
  { tag: 'iscsi_volume_boot', make: iscsiSource },
  {
    tag: 'fibre_channel_volume_boot',
    make: ({ volumeTargets: [target] }) => ({
      kind: 'fibre_channel',
      volume: {
        targetUuid: target?.uuid ?? '',
        volumeId: target?.volumeId ?? '',
        connection: {
          kind: 'fibre_channel',
          paths: [{ initiatorWwpn: '10000090fa1b2c3d', targetWwpn: '500a098280feeba5', lun: 1 }],
        },
      },
      extraVolumes: [],
    }),
  },
  { tag: 'nfs_volume_boot', make: nfsSource },
  { tag: 'ramdisk_boot', make: ramdiskSource },
  { tag: 'iso_boot', make: isoSource },
];

/** The richest source that an interface declares. */
export function sourceFor(capabilities: readonly CapabilityTag[], records: NodeRecords): BootSource {
  const richest = ['iscsi_volume_boot', 'ramdisk_boot', 'nfs_volume_boot', 'iso_boot'].find((tag) =>
    capabilities.includes(tag),
  );
  const declared = declaredSources.find(({ tag }) => tag === richest);
  return declared?.make(records, capabilities) ?? { kind: 'local_disk' };
}

/** Where {@link moved} moves things to. */
const newAddress = '198.51.100.77';

/** The same source after its volume or image moved, and a text that only the old one has. */
export function moved(source: BootSource): { readonly source: BootSource; readonly oldText: string | null } {
  if (source.kind === 'iso') return { source: withImage(source, newIso), oldText: contentOfImage(source.image) };
  if (source.kind === 'ramdisk' || source.kind === 'nfs') {
    return { source: withImage(source, newKernel), oldText: contentOfImage(source.kernel) };
  }
  if (source.kind !== 'iscsi') return { source, oldText: null };
  const { volume } = source;
  const [path] = volume.connection.paths;
  assert.ok(path !== undefined, 'the connection has no path');
  const paths = [{ ...path, portal: { host: newAddress, port: 3260 }, iqn: 'iqn.2010-10.org.example:moved' }];
  const connection = { ...volume.connection, paths };
  const change = { ...source, volume: { ...volume, connection } };
  return { source: withImage(change, newKernel), oldText: path.iqn };
}

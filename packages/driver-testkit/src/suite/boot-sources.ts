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
  type RamdiskBoot,
} from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';

/** The token of {@link requestOf}; nothing but revealed file contents may show it. */
export const reportToken = 'ReportToken0123456789';

export function requestOf(source: BootSource): BootRequest {
  const prefix = 'http://192.0.2.1:6385/ironbark/v1/boot-report/';
  return { source, reportUrl: { prefix, token: Secret.of(reportToken) } };
}

/** The iSCSI boot source of records whose targets are all of type `iscsi`. */
export function iscsiSource(records: NodeRecords): IscsiBoot {
  const volumes = records.volumeTargets.map((target): BootVolume<IscsiConnection> => {
    const connection = parseIscsi(target.properties, `volume target ${target.uuid}`);
    return { targetUuid: target.uuid, volumeId: target.volumeId, connection };
  });
  const [volume, ...extraVolumes] = volumes;
  assert.ok(volume !== undefined, 'the harness returned records without a volume');
  return { kind: 'iscsi', initiatorIqn: initiatorOf(records), volume, extraVolumes };
}

function initiatorOf(records: NodeRecords): string {
  const connector = records.volumeConnectors.find((one) => one.type === 'iqn');
  assert.ok(connector !== undefined, 'the harness returned records without an iqn connector');
  return connector.connectorId;
}

export function ramdiskSource(): RamdiskBoot {
  return {
    kind: 'ramdisk',
    kernelUrl: 'http://192.0.2.1/images/deploy.kernel',
    ramdiskUrl: 'http://192.0.2.1/images/deploy.initramfs',
    parameters: ['console=ttyS0', 'ipa-api-url=http://192.0.2.1:6385'],
  };
}

/** A source of every kind that can be declared, with the capability that declares it. */
export const declaredSources: readonly {
  readonly tag: CapabilityTag;
  readonly make: (records: NodeRecords) => BootSource;
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
  {
    tag: 'nfs_volume_boot',
    make: ({ volumeTargets: [target] }) => ({
      kind: 'nfs',
      volume: {
        targetUuid: target?.uuid ?? '',
        volumeId: target?.volumeId ?? '',
        connection: { kind: 'nfs', server: '192.0.2.30', path: '/exports/node-0', options: ['vers=4.2'] },
      },
    }),
  },
  { tag: 'ramdisk_boot', make: ramdiskSource },
];

/** The richest source that an interface declares. */
export function sourceFor(capabilities: readonly CapabilityTag[], records: NodeRecords): BootSource {
  if (capabilities.includes('iscsi_volume_boot')) return iscsiSource(records);
  return capabilities.includes('ramdisk_boot') ? ramdiskSource() : { kind: 'local_disk' };
}

/** Where {@link moved} moves things to. */
const newAddress = '198.51.100.77';

/** The same source after its volume or kernel moved, and a text that only the old one has. */
export function moved(source: BootSource): { readonly source: BootSource; readonly oldText: string | null } {
  if (source.kind === 'ramdisk') {
    return { source: { ...source, kernelUrl: `http://${newAddress}/new.kernel` }, oldText: source.kernelUrl };
  }
  if (source.kind !== 'iscsi') return { source, oldText: null };
  const { volume } = source;
  const [path] = volume.connection.paths;
  assert.ok(path !== undefined, 'the connection has no path');
  const paths = [{ ...path, portal: { host: newAddress, port: 3260 }, iqn: 'iqn.2010-10.org.example:moved' }];
  const connection = { ...volume.connection, paths };
  return { source: { ...source, volume: { ...volume, connection } }, oldText: path.iqn };
}

/** Fields that reach a boot script, with the words of which an error has to contain one. */
export const iscsiFields: readonly HostileField<IscsiBoot>[] = [
  {
    name: 'the CHAP user',
    words: /auth_username|user ?name|chap user/i,
    put: (boot, text) => withChap(boot, { username: text }),
  },
  {
    name: 'the CHAP password',
    words: /auth_password|password/i,
    isSecret: true,
    put: (boot, text) => withChap(boot, { password: Secret.of(text) }),
  },
  {
    name: 'the mutual CHAP user',
    words: /mutual|reverse/i,
    put: (boot, text) => withChap(boot, { mutual: { username: text, password: Secret.of('MutualPassword0') } }),
  },
  {
    name: 'the mutual CHAP password',
    words: /mutual|reverse/i,
    isSecret: true,
    put: (boot, text) => withChap(boot, { mutual: { username: 'mutualuser', password: Secret.of(text) } }),
  },
  { name: 'the target IQN', words: /iqn/i, put: (boot, text) => withPath(boot, { iqn: text }) },
  {
    name: 'the portal',
    words: /portal|host/i,
    put: (boot, text) => withPath(boot, { portal: { host: text, port: 3260 } }),
  },
  {
    name: 'the initiator IQN',
    words: /iqn|initiator|connector/i,
    put: (boot, text) => ({ ...boot, initiatorIqn: text }),
  },
];

export const ramdiskFields: readonly HostileField<RamdiskBoot>[] = [
  {
    name: 'the kernel URL',
    words: /kernel/i,
    put: (boot, text) => ({ ...boot, kernelUrl: `http://192.0.2.1/${text}` }),
  },
  {
    name: 'the ramdisk URL',
    words: /ramdisk/i,
    put: (boot, text) => ({ ...boot, ramdiskUrl: `http://192.0.2.1/${text}` }),
  },
  { name: 'a kernel parameter', words: /parameter/i, put: (boot, text) => ({ ...boot, parameters: [`name=${text}`] }) },
];

export interface HostileField<Source extends BootSource> {
  readonly name: string;
  readonly words: RegExp;
  readonly isSecret?: boolean;
  readonly put: (source: Source, text: string) => Source;
}

type Chap = NonNullable<IscsiConnection['chap']>;

function withChap(boot: IscsiBoot, change: Partial<Chap>): IscsiBoot {
  const { connection } = boot.volume;
  const plain: Chap = { username: 'chapuser', password: Secret.of('ChapPassword'), mutual: null };
  const chap = { ...plain, ...connection.chap, ...change };
  return { ...boot, volume: { ...boot.volume, connection: { ...connection, chap } } };
}

function withPath(boot: IscsiBoot, change: Partial<IscsiConnection['paths'][number]>): IscsiBoot {
  const { connection } = boot.volume;
  const paths = connection.paths.map((path) => ({ ...path, ...change }));
  return { ...boot, volume: { ...boot.volume, connection: { ...connection, paths } } };
}

import {
  Secret,
  type BootSource,
  type ImageReference,
  type IscsiBoot,
  type IscsiConnection,
  type IsoBoot,
  type NfsBoot,
  type RamdiskBoot,
  type ServedSystem,
} from '@ironbark/core';
import { servedSystem } from './boot-images.ts';

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

export const systemFields: readonly HostileField<IscsiBoot>[] = [
  {
    name: 'the root of the system',
    words: /root/i,
    put: (boot, text) => withSystem(boot, { root: `UUID=${text}` }),
  },
  {
    name: 'the kernel of the system',
    words: /kernel|image/i,
    put: (boot, text) => withSystem(boot, { kernel: hostileUrl(text) }),
  },
  {
    name: 'the file of the ramdisk of the system',
    words: /ramdisk|image/i,
    put: (boot, text) => withSystem(boot, { ramdisk: { kind: 'file', path: `/srv/images/${text}` } }),
  },
];

export const nfsFields: readonly HostileField<NfsBoot>[] = [
  {
    name: 'the NFS server',
    words: /server|host/i,
    put: (boot, text) => ({ ...boot, connection: { ...boot.connection, server: text } }),
  },
  {
    name: 'the NFS path',
    words: /path|export/i,
    put: (boot, text) => ({ ...boot, connection: { ...boot.connection, path: `/${text}` } }),
  },
  {
    name: 'an NFS option',
    words: /option/i,
    put: (boot, text) => ({ ...boot, connection: { ...boot.connection, options: [`vers=${text}`] } }),
  },
  {
    name: 'the kernel of an NFS root',
    words: /kernel|image/i,
    put: (boot, text) => ({ ...boot, kernel: hostileUrl(text) }),
  },
];

export const ramdiskFields: readonly HostileField<RamdiskBoot>[] = [
  {
    name: 'the kernel URL',
    words: /kernel|image/i,
    put: (boot, text) => ({ ...boot, kernel: hostileUrl(text) }),
  },
  {
    name: 'the file of the ramdisk',
    words: /ramdisk|image/i,
    put: (boot, text) => ({ ...boot, ramdisk: { kind: 'file', path: `/srv/images/${text}` } }),
  },
  { name: 'a kernel parameter', words: /parameter/i, put: (boot, text) => ({ ...boot, parameters: [`name=${text}`] }) },
];

export const isoFields: readonly HostileField<IsoBoot>[] = [
  {
    name: 'the URL of the ISO image',
    words: /iso|image/i,
    put: (boot, text) => ({ ...boot, image: hostileUrl(text) }),
  },
  {
    name: 'the file of the ISO image',
    words: /iso|image/i,
    put: (boot, text) => ({ ...boot, image: { kind: 'file', path: `/srv/images/${text}.iso` } }),
  },
];

/** A query is the part of a URL that URL parsers change least. */
function hostileUrl(text: string): ImageReference {
  return { kind: 'url', url: `http://192.0.2.1/image?${text}` };
}

function withSystem(boot: IscsiBoot, change: Partial<ServedSystem>): IscsiBoot {
  return { ...boot, system: { ...servedSystem, ...boot.system, ...change } };
}

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

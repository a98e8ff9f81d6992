import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  bootSourceOf,
  initiatorOf,
  isIronbarkError,
  parseNfsRoot,
  parseVolumeConnection,
  Secret,
  type BootArtifacts,
  type BootChoice,
  type BootKind,
  type ImageReference,
  type InfoValue,
  type InstanceImage,
} from '@ironbark/core';
import { createIscsiProperties, createNodeRecords, createTask, type NodeRecords } from '@ironbark/driver-testkit/fakes';
import { skeletonOf } from '@ironbark/netboot/ipxe-reader';
import { array, asyncProperty, check, constantFrom, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSite, type Site } from './site.ts';

const hostile = array(
  oneof(
    constantFrom(
      '\n',
      '\r\n',
      '\0',
      '\t',
      ' ',
      '\\',
      '||',
      '&&',
      ';',
      '#',
      ':',
      '${',
      '}',
      '-',
      '"',
      '..',
      '/',
      '../../',
    ),
    constantFrom(
      '\u0085',
      '\u2028',
      '\uD800',
      'shell',
      'goto fail',
      '${password}',
      'iqn.2010-10.org.example:',
      '10.0.0.1',
      '0',
      'a',
    ),
    string({ unit: 'binary', maxLength: 6 }),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(''));

const records: NodeRecords = withProperties(createNodeRecords({ volumes: 2 }), {});

function withProperties(
  given: NodeRecords,
  changes: Readonly<Record<string, string | readonly string[]>>,
): NodeRecords {
  const mutual = { mutual_auth_username: 'target', mutual_auth_password: Secret.of('reverse') };
  const volumeTargets = given.volumeTargets.map((target) => {
    return { ...target, properties: createIscsiProperties({ ...mutual, ...changes }) };
  });
  return { ...given, volumeTargets };
}

/** Puts a text wherever a client of the API can put free text without the node becoming another one. */
function withFreeText(text: string): NodeRecords {
  const info = {
    [text]: text,
    deploy_kernel: text,
    pxe_template: text,
    nested: [{ [text]: text }],
  };
  const node = {
    ...records.node,
    name: text,
    description: text,
    extra: info,
    instanceInfo: info,
    driverInfo: info,
    resourceClass: text,
    owner: text,
    properties: { ...info, capabilities: 'iscsi_boot:True' },
  };
  return {
    node,
    ports: records.ports.map((port) => ({ ...port, extra: info, physicalNetwork: text, localLinkConnection: info })),
    volumeConnectors: records.volumeConnectors.map((connector) => ({ ...connector, extra: info })),
    volumeTargets: records.volumeTargets.map((target) => ({
      ...target,
      volumeId: text,
      extra: info,
      properties: { ...info, ...target.properties },
    })),
  };
}

const image: ImageReference = { kind: 'url', url: 'http://192.0.2.9/image' };
const instanceImage: InstanceImage = { kernel: image, ramdisk: image, bootIso: image, root: null, initramfsType: null };

interface Given extends NodeRecords {
  readonly kind?: BootKind;
  readonly image?: InstanceImage;
}

/** What core decides for records of this kind. */
function choiceOf({ node, volumeTargets, kind = 'iscsi' }: Given): BootChoice {
  const nfsRoot = kind === 'nfs' ? parseNfsRoot(node.instanceInfo['nfs_root'] ?? '', 'nfs_root') : null;
  return {
    kind,
    option: 'netboot',
    volumeTarget: volumeTargets.find(({ bootIndex }) => bootIndex === 0) ?? null,
    nfsRoot,
    servesImage: false,
    writesImage: false,
    firmware: { bootMode: null, secureBoot: null },
  };
}

/** Everything up to the artifacts, as a deployment does it; undefined when the records were refused. */
function artifactsOf({ boot }: Site, given: Given): BootArtifacts | undefined {
  const task = createTask(given);
  try {
    const volumes = task.volumeTargets.map((target) => {
      const connection = parseVolumeConnection(target.volumeType, target.properties, `volume target ${target.uuid}`);
      return { target, connection };
    });
    const initiator = initiatorOf(task.volumeConnectors);
    const facts = { node: task.node, initiator, volumes, image: given.image ?? instanceImage };
    return boot.render(task, { source: bootSourceOf(choiceOf(given), facts), reportUrl: null });
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

function shapeOf(artifacts: BootArtifacts | undefined) {
  return {
    files: artifacts?.files.map(({ root, path, content }) => [root, path, skeletonOf(content.reveal())]),
    links: artifacts?.links,
    places: artifacts?.images?.map(({ root, path }) => [root, path]),
    dhcp: artifacts?.dhcp,
  };
}

const fields: readonly (readonly [string, (text: string) => NodeRecords])[] = [
  ['free text anywhere', withFreeText],
  ...[
    'target_portal',
    'target_iqn',
    'target_lun',
    'auth_method',
    'auth_username',
    'auth_password',
    'mutual_auth_username',
    'mutual_auth_password',
  ].map((key) => [key, (text: string) => withProperties(records, { [key]: text })] as const),
  ['target_portals', (text) => withProperties(records, { target_portals: [text] })],
  ['target_iqns', (text) => withProperties(records, { target_iqns: [text] })],
  [
    'the connector',
    (text) => ({
      ...records,
      volumeConnectors: records.volumeConnectors.map((one) => ({ ...one, connectorId: text })),
    }),
  ],
  [
    'the address of a port',
    (text) => ({ ...records, ports: records.ports.map((port) => ({ ...port, address: text })) }),
  ],
];

/** The records with a value of the instance, for a source of another kind. */
function withInstance(kind: BootKind, instanceInfo: Readonly<Record<string, InfoValue>>): Given {
  const nfs = { nfs_root: '192.0.2.3:/exports/root' };
  return { ...records, kind, node: { ...records.node, instanceInfo: { ...(kind === 'nfs' && nfs), ...instanceInfo } } };
}

function withFibreChannel(properties: Readonly<Record<string, InfoValue>>): Given {
  const plain = { target_wwn: '500a098280feeba5', target_lun: 1 };
  const volumeTargets = records.volumeTargets.map((target) => {
    return { ...target, volumeType: 'fibre_channel', properties: { ...plain, ...properties } };
  });
  return { ...records, kind: 'fibre_channel', volumeTargets };
}

function withImage(kind: BootKind, part: 'kernel' | 'ramdisk' | 'bootIso', hostileImage: ImageReference): Given {
  return { ...withInstance(kind, {}), image: { ...instanceImage, [part]: hostileImage } };
}

const servedFields: readonly (readonly [string, Given, (text: string) => Given])[] = [
  ...(['nfs', 'ramdisk'] as const).flatMap((kind) => [
    [
      `kernel_append_params of a node that boots by ${kind}`,
      withInstance(kind, { kernel_append_params: 'a' }),
      (text: string) => withInstance(kind, { kernel_append_params: text }),
    ] as const,
    [
      `the kernel of a node that boots by ${kind}`,
      withInstance(kind, {}),
      (text: string) => withImage(kind, 'kernel', { kind: 'url', url: `http://192.0.2.9/${text}` }),
    ] as const,
    [
      `the file of the ramdisk of a node that boots by ${kind}`,
      withInstance(kind, {}),
      (text: string) => withImage(kind, 'ramdisk', { kind: 'file', path: `/srv/${text}` }),
    ] as const,
  ]),
  [
    'ramdisk_kernel_arguments',
    withInstance('ramdisk', { ramdisk_kernel_arguments: 'a' }),
    (text) => withInstance('ramdisk', { ramdisk_kernel_arguments: text }),
  ],
  ['nfs_root', withInstance('nfs', {}), (text) => withInstance('nfs', { nfs_root: `192.0.2.3:/${text}` })],
  [
    'the server of nfs_root',
    withInstance('nfs', {}),
    (text) => withInstance('nfs', { nfs_root: `${text}:/exports/root` }),
  ],
  [
    'the options of nfs_root',
    withInstance('nfs', {}),
    (text) => withInstance('nfs', { nfs_root: `192.0.2.3:/exports/root,${text}` }),
  ],
  [
    'the ISO image',
    withInstance('iso', {}),
    (text) => withImage('iso', 'bootIso', { kind: 'url', url: `http://192.0.2.9/${text}` }),
  ],
  ['target_wwn', withFibreChannel({}), (text) => withFibreChannel({ target_wwn: text })],
  [
    'the end of target_wwn',
    withFibreChannel({}),
    (text) => withFibreChannel({ target_wwn: `500a098280feeba5${text}` }),
  ],
  ['target_lun of a Fibre Channel volume', withFibreChannel({}), (text) => withFibreChannel({ target_lun: text })],
];

describe('hostile records', () => {
  const all = [...fields.map(([name, make]) => [name, records, make] as const), ...servedFields];

  it.each(all)('in %s change neither the lines of a script nor the paths of files', async (_, plain, make) => {
    const site = await openSite({ ipxe: { deploy_kernel: 'http://a/k', deploy_ramdisk: 'http://a/r' } });
    const benign = artifactsOf(site, plain);
    const apply = async (artifacts: BootArtifacts) => {
      await site.boot.apply(createTask(records), artifacts);
      return (await readdir(dirname(site.directory), { recursive: true })).sort();
    };
    expect(benign).toBeDefined();
    const paths = benign && (await apply(benign));
    let applied = 0;
    const property = asyncProperty(hostile, async (text) => {
      const artifacts = artifactsOf(site, make(text));
      if (artifacts === undefined) return true;
      if (!isDeepStrictEqual(shapeOf(artifacts), shapeOf(benign))) return false;
      // Every apply flushes files to the disk, and the shape has the paths already.
      return applied++ > 20 || isDeepStrictEqual(await apply(artifacts), paths);
    });
    expect((await check(property, { numRuns: 300 })).counterexample).toBeNull();
  });
});

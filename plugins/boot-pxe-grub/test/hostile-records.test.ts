import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  initiatorOf,
  isIronbarkError,
  parseIscsi,
  Secret,
  type BootArtifacts,
  type InfoValue,
  type ServedSystem,
  type VolumeTarget,
} from '@ironbark/core';
import { createIscsiProperties, createNodeRecords, createTask, type NodeRecords } from '@ironbark/driver-testkit/fakes';
import { array, asyncProperty, check, constantFrom, oneof, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSite, type Site } from './site.ts';

const hostile = array(
  oneof(
    constantFrom("'", '"', '\\', '$', '${root}', '{', '}', ';', '|', '&', '<', '>', '#', '\n', '\r\n', '\0', '\t', ' '),
    constantFrom(
      "'; reboot; '",
      ' init=/bin/sh',
      'root=/dev/sda',
      '=',
      '--',
      ':',
      '@',
      '..',
      '/',
      '../../',
      '-',
      '%default%',
    ),
    constantFrom('\u0085', '\u2028', '\uD800', '\u00a0', '\u00e0', 'iqn.2010-10.org.example:', '10.0.0.1', '0', 'a'),
    string({ unit: 'binary', maxLength: 6 }),
  ),
  { minLength: 1, maxLength: 6 },
).map((parts) => parts.join(''));

const url = 'http://192.0.2.9/image';
const image = { kind: 'url', url } as const;
const system: ServedSystem = { kernel: image, ramdisk: image, root: 'LABEL=root', initramfsType: null };

interface Input {
  readonly records: NodeRecords;
  readonly system: ServedSystem;
}

const plain: Input = { records: withProperties({}), system };

function withProperties(changes: Readonly<Record<string, InfoValue>>): NodeRecords {
  const given = createNodeRecords({ volumes: 2 });
  const mutual = { mutual_auth_username: 'target', mutual_auth_password: Secret.of('reverse') };
  const properties = createIscsiProperties({ ...mutual, ...changes });
  const volumeTargets = given.volumeTargets.map((target) => ({ ...target, properties }));
  return { ...given, volumeTargets };
}

/** Puts a text wherever a client of the API can put free text without the node becoming another one. */
function withFreeText(text: string): Input {
  const { records } = plain;
  const info = { [text]: text, pxe_template: text, boot_option: text, nested: [{ [text]: text }] };
  const withText = (target: VolumeTarget): VolumeTarget => ({ ...target, volumeId: text, extra: info });
  const node = {
    ...records.node,
    name: text,
    description: text,
    extra: info,
    instanceInfo: info,
    driverInfo: info,
    resourceClass: text,
    owner: text,
    properties: info,
  };
  return {
    system,
    records: {
      node,
      ports: records.ports.map((port) => ({ ...port, extra: info, physicalNetwork: text, localLinkConnection: info })),
      volumeConnectors: records.volumeConnectors.map((connector) => ({ ...connector, extra: info })),
      volumeTargets: records.volumeTargets.map(withText),
    },
  };
}

function withNode(key: 'instanceInfo' | 'driverInfo', text: string): Input {
  const { records } = plain;
  return { system, records: { ...records, node: { ...records.node, [key]: { kernel_append_params: text } } } };
}

/** Everything up to the artifacts, as a deployment does it; undefined when the records were refused. */
function artifactsOf({ boot }: Site, { records, system: served }: Input): BootArtifacts | undefined {
  const task = createTask(records);
  try {
    const [volume, ...extraVolumes] = task.volumeTargets.map((target) => {
      const connection = parseIscsi(target.properties, `volume target ${target.uuid}`);
      return { targetUuid: target.uuid, volumeId: target.volumeId, connection };
    });
    if (volume === undefined) return undefined;
    const initiatorIqn = initiatorOf(task.volumeConnectors).iqn ?? '';
    const source = { kind: 'iscsi', initiatorIqn, volume, extraVolumes, system: served } as const;
    return boot.render(task, { source, reportUrl: null });
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

/** What is not between single quotes, and the names of the parameters; those of `skipped` may be there or not. */
function shapeOf(artifacts: BootArtifacts | undefined, isFree: boolean) {
  const files = artifacts?.files.map(({ root, path, content }) => {
    const text = content.reveal();
    const [linux = ''] = /^ {2}if linux .*; then$/m.exec(text) ?? [];
    const names = [...linux.matchAll(/'([^'=]*)[^']*'/g)].map(([, name]) => name);
    const others = text.replace(linux, '').replaceAll(/'[^']*'/g, "''");
    const outside = linux.replaceAll(/'[^']*'/g, "''").replaceAll(/(?: '')+/g, " ''");
    return [root, path, others, outside, isFree ? [] : names];
  });
  return { files, links: artifacts?.links, images: artifacts?.images };
}

type Field = readonly [name: string, make: (text: string) => Input, isFree?: boolean];

const fields: readonly Field[] = [
  ['free text anywhere', withFreeText],
  ['instance_info.kernel_append_params', (text) => withNode('instanceInfo', text), true],
  ['driver_info.kernel_append_params', (text) => withNode('driverInfo', text), true],
  ['the root of the image', (root) => ({ ...plain, system: { ...system, root } })],
  ['the label of the root', (label) => ({ ...plain, system: { ...system, root: `LABEL=${label}` } })],
  ...[
    'target_portal',
    'target_iqn',
    'target_lun',
    'auth_username',
    'auth_password',
    'mutual_auth_username',
    'mutual_auth_password',
  ].map((key) => [key, (text: string) => ({ system, records: withProperties({ [key]: text }) })] as const),
  ['target_portals', (text) => ({ system, records: withProperties({ target_portals: [text] }) })],
  ['target_iqns', (text) => ({ system, records: withProperties({ target_iqns: [text] }) })],
  [
    'the connector',
    (connectorId) => {
      const volumeConnectors = plain.records.volumeConnectors.map((one) => ({ ...one, connectorId }));
      return { system, records: { ...plain.records, volumeConnectors } };
    },
  ],
  [
    'the address of a port',
    (address) => ({
      system,
      records: { ...plain.records, ports: plain.records.ports.map((port) => ({ ...port, address })) },
    }),
  ],
];

describe('hostile records', () => {
  it.each(fields.map(([field, make, isFree = false]) => ({ field, make, isFree })))(
    'in $field change neither the structure of a configuration nor the paths of files',
    async ({ make, isFree }) => {
      const site = await openSite({ images: new Map([[url, new Uint8Array()]]) });
      const benign = artifactsOf(site, plain);
      const apply = async (artifacts: BootArtifacts) => {
        await site.boot.apply(createTask(plain.records), artifacts);
        return (await readdir(dirname(site.directory), { recursive: true }))
          .filter((path) => path.startsWith('site'))
          .sort();
      };
      expect(benign).toBeDefined();
      const paths = benign && (await apply(benign));
      const property = asyncProperty(hostile, async (text) => {
        const artifacts = artifactsOf(site, make(text));
        if (artifacts === undefined) return true;
        const isSame = isDeepStrictEqual(shapeOf(artifacts, isFree), shapeOf(benign, isFree));
        return isSame && isDeepStrictEqual(await apply(artifacts), paths);
      });
      expect((await check(property, { numRuns: 150 })).counterexample).toBeNull();
    },
    30_000,
  );
});

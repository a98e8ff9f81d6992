import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  decideBootSource,
  initiatorOf,
  isIronbarkError,
  parseVolumeConnection,
  Secret,
  type BootArtifacts,
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
    kernel_append_params: text,
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

/** Everything up to the artifacts, as a deployment does it; undefined when the records were refused. */
function artifactsOf({ boot }: Site, given: NodeRecords): BootArtifacts | undefined {
  const task = createTask(given);
  try {
    const volumes = task.volumeTargets.map((target) => {
      const connection = parseVolumeConnection(target.volumeType, target.properties, `volume target ${target.uuid}`);
      return { target, connection };
    });
    const initiator = initiatorOf(task.volumeConnectors);
    const source = decideBootSource({ node: task.node, initiator, volumes, writesImage: false });
    return boot.render(task, { source, reportUrl: null });
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return undefined;
    throw error;
  }
}

function shapeOf(artifacts: BootArtifacts | undefined) {
  return {
    files: artifacts?.files.map(({ root, path, content }) => [root, path, skeletonOf(content.reveal())]),
    links: artifacts?.links,
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

describe('hostile records', () => {
  it.each(fields)('in %s change neither the lines of a script nor the paths of files', async (_, make) => {
    const site = await openSite({ ipxe: { deploy_kernel: 'http://a/k', deploy_ramdisk: 'http://a/r' } });
    const benign = artifactsOf(site, records);
    const apply = async (artifacts: BootArtifacts) => {
      await site.boot.apply(createTask(records), artifacts);
      return (await readdir(dirname(site.directory), { recursive: true })).sort();
    };
    expect(benign).toBeDefined();
    const paths = benign && (await apply(benign));
    const property = asyncProperty(hostile, async (text) => {
      const artifacts = artifactsOf(site, make(text));
      if (artifacts === undefined) return true;
      return isDeepStrictEqual(shapeOf(artifacts), shapeOf(benign)) && isDeepStrictEqual(await apply(artifacts), paths);
    });
    expect((await check(property, { numRuns: 300 })).counterexample).toBeNull();
  });
});

import { connect } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodePatchFields } from '../src/inputs/node.ts';
import { nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';
import { newNode } from './fake-engine.ts';
import { startRealApi } from './real-engine.ts';

const port = '11111111-1111-4111-8111-111111111111';
const target = '22222222-2222-4222-8222-222222222222';
const seconds = 1000;
let api: ApiUnderTest;
beforeEach(async () => {
  api = startApi();
  await api.fake.ports.create({ uuid: port, nodeUuid, address: '52:54:00:00:00:01' });
  await api.fake.volumeTargets.create({ uuid: target, nodeUuid, volumeType: 'iscsi', bootIndex: 0, volumeId: 'v' });
});
afterEach(() => api.app.close());

interface HostileRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string | undefined;
}

/** Sends it. @returns the status, when the answer blames the client if anybody; else the answer. */
async function survive(request: HostileRequest, app = api.app): Promise<number | string> {
  const { method, url, headers = {}, payload } = request;
  const response = await app.inject({
    method,
    url,
    headers: { 'x-openstack-ironic-api-version': '1.80', ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  const { statusCode: status, body: text } = response;
  const hasLimits = response.headers['x-openstack-ironic-api-maximum-version'] === '1.80';
  const isFine = status < 400 || method === 'HEAD' || blamesClient(text);
  return status < 500 && hasLimits && isFine ? status : `${method} ${url} ${payload}: ${status} ${text}`;
}

function blamesClient(text: string): boolean {
  const inner = JSON.parse((JSON.parse(text) as { error_message: string }).error_message);
  return inner.faultcode === 'Client' || inner.code === 406;
}

/** Every route with something in the place of its parameters; vendor methods and streams have no end of their own. */
function routes(): { method: string; url: string }[] {
  return api.app.apiRoutes
    .filter(({ url }) => !url.endsWith('/events'))
    .flatMap(({ method, url }) => [method].flat().map((one) => ({ method: one, url })));
}

const ident = fc.oneof(
  fc.constantFrom(nodeUuid, 'bfv-1', port, target, 'fake-hardware', '..', '%2e%2e', '__proto__', 'detail', '%00', '🦄'),
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
);

function fill(url: string, idents: readonly string[]): string {
  let index = 0;
  return url.replaceAll(/:\w+/g, () => idents[index++ % idents.length] ?? 'x');
}

const words = fc.constantFrom(
  ...nodePatchFields,
  'target',
  'traits',
  'id',
  'uuid',
  'op',
  'path',
  'value',
  'node_uuid',
  'address',
  'boot_device',
  'callback_url',
  'boot_index',
  'volume_id',
  'volume_type',
  'connector_id',
  'type',
  'properties',
  'clean_steps',
  'configdrive',
  '__proto__',
  'constructor',
  'toJSON',
);
const plain = fc.oneof(
  fc.constantFrom(
    nodeUuid,
    'fake-hardware',
    'active',
    'power on',
    '******',
    '52:54:00:00:00:09',
    'add',
    '/extra/a',
    0,
    -1,
    1e308,
  ),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
);
const body = fc.oneof(
  fc.dictionary(words, plain, { maxKeys: 8 }),
  fc.array(fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move'), path: plain, value: plain }), {
    maxLength: 4,
  }),
  plain,
);

/** Requests that are right as they are. */
const grantable = [
  { method: 'POST', url: '/v1/nodes', sent: { driver: 'fake-hardware' } },
  { method: 'POST', url: '/v1/chassis', sent: {} },
  { method: 'POST', url: '/v1/ports', sent: { node_uuid: nodeUuid, address: '52:54:00:00:00:01' } },
  { method: 'POST', url: '/v1/volume/connectors', sent: { node_uuid: nodeUuid, type: 'iqn', connector_id: 'iqn.x' } },
  {
    method: 'POST',
    url: '/v1/volume/targets',
    sent: { node_uuid: nodeUuid, volume_type: 'iscsi', boot_index: 0, volume_id: 'v' },
  },
  { method: 'PUT', url: `/v1/nodes/${nodeUuid}/states/power`, sent: { target: 'power on' } },
  { method: 'PUT', url: `/v1/nodes/${nodeUuid}/states/provision`, sent: { target: 'manage' } },
  { method: 'PUT', url: `/v1/nodes/${nodeUuid}/management/boot_device`, sent: { boot_device: 'pxe' } },
  { method: 'PUT', url: `/v1/nodes/${nodeUuid}/traits`, sent: { traits: ['CUSTOM_A'] } },
  { method: 'PUT', url: `/v1/nodes/${nodeUuid}/maintenance`, sent: {} },
  { method: 'POST', url: `/v1/nodes/${nodeUuid}/vifs`, sent: { id: 'vif' } },
  { method: 'POST', url: `/v1/heartbeat/${nodeUuid}`, sent: { callback_url: 'https://192.0.2.1' } },
];

describe('no request makes the API fail', { timeout: 60 * seconds }, () => {
  it('whatever JSON it sends to whichever route', async () => {
    const all = routes();
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(ident, { minLength: 1, maxLength: 3 }), body, async (route, idents, sent) => {
        const { method, url } = all[route % all.length] as { method: string; url: string };
        api.fake.nodeRows.set(nodeUuid, newNode(nodeUuid, { name: 'bfv-1' }));
        const payload = ['GET', 'HEAD'].includes(method) ? undefined : JSON.stringify(sent);
        const headers = { 'content-type': 'application/json' };
        expect(await survive({ method, url: fill(url, idents), headers, payload })).toBeTypeOf('number');
      }),
      { numRuns: 3000 },
    );
  });

  it('whatever JSON it sends when the real engine and the real database stand behind it', async () => {
    const real = await startRealApi();
    try {
      const node = await real.engine.nodes.create({ uuid: nodeUuid, name: 'bfv-1', driver: 'fake-hardware' });
      expect(node.uuid).toBe(nodeUuid);
      const all = routes();
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.array(ident, { minLength: 1, maxLength: 3 }),
          body,
          async (route, idents, sent) => {
            const { method, url } = all[route % all.length] as { method: string; url: string };
            const payload = ['GET', 'HEAD'].includes(method) ? undefined : JSON.stringify(sent);
            const headers = { 'content-type': 'application/json' };
            expect(await survive({ method, url: fill(url, idents), headers, payload }, real.app)).toBeTypeOf('number');
          },
        ),
        { numRuns: 1000 },
      );
    } finally {
      await real.close();
    }
  });

  it('whatever it changes in a request that the real engine would grant', async () => {
    const real = await startRealApi();
    try {
      await real.engine.nodes.create({ uuid: nodeUuid, name: 'bfv-1', driver: 'fake-hardware' });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...grantable),
          fc.dictionary(words, plain, { maxKeys: 2 }),
          async (right, wrong) => {
            const { method, url, sent } = right;
            const payload = JSON.stringify({ ...sent, ...wrong });
            const headers = { 'content-type': 'application/json' };
            expect(await survive({ method, url, headers, payload }, real.app)).toBeTypeOf('number');
          },
        ),
        { numRuns: 1500 },
      );
    } finally {
      await real.close();
    }
  });

  it('whatever patch it applies to a node', async () => {
    const segment = fc.oneof(
      words,
      fc.constantFrom('0', '-', '~1', '~', '', '01', '99999999999'),
      fc.string({ maxLength: 5 }),
    );
    const path = fc.tuple(words, fc.array(segment, { maxLength: 4 })).map((keys) => `/${keys.flat().join('/')}`);
    const operation = fc.record(
      { op: fc.constantFrom('add', 'remove', 'replace'), path, value: plain },
      { requiredKeys: ['op', 'path'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 6 }), async (operations) => {
        api.fake.nodeRows.set(nodeUuid, newNode(nodeUuid));
        api.fake.change(nodeUuid, { extra: { a: [1, { b: 2 }] }, driverInfo: {}, properties: {}, name: 'bfv-1' });
        expect(
          await survive({
            method: 'PATCH',
            url: `/v1/nodes/${nodeUuid}`,
            headers: { 'content-type': 'application/json-patch+json' },
            payload: JSON.stringify(operations),
          }),
        ).toBeTypeOf('number');
      }),
      { numRuns: 2000 },
    );
  });

  it('whatever query it has', async () => {
    const lists = [
      '/v1/nodes',
      '/v1/nodes/detail',
      '/v1/ports',
      '/v1/volume/targets',
      '/v1/drivers',
      '/v1/conductors',
      '/v1/lookup',
      '/v1/chassis',
    ];
    const names = fc.constantFrom(
      'limit',
      'marker',
      'sort_key',
      'sort_dir',
      'fields',
      'detail',
      'provision_state',
      'node',
      'addresses',
      'node_uuid',
      '__proto__',
    );
    const text = fc.oneof(
      fc.constantFrom('1', 'True', 'uuid', nodeUuid, 'name,uuid', '-1', '1e9', ',', 'interfaces'),
      fc.string({ maxLength: 10 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...lists),
        fc.array(fc.tuple(names, text), { maxLength: 4 }),
        async (url, query) => {
          expect(await survive({ method: 'GET', url: `${url}?${new URLSearchParams(query).toString()}` })).toBeTypeOf(
            'number',
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('whatever version it asks for', async () => {
    const header = fc.string({ maxLength: 20, unit: 'grapheme-ascii' });
    const version = fc.oneof(
      header,
      fc.tuple(fc.nat(3), fc.nat(120)).map(([major, minor]) => `${major}.${minor}`),
    );
    await fc.assert(
      fc.asyncProperty(version, fc.boolean(), async (text, standard) => {
        const headers = standard
          ? { 'openstack-api-version': `baremetal ${text}` }
          : { 'x-openstack-ironic-api-version': text };
        const status = await survive({ method: 'GET', url: '/v1/nodes', headers });
        expect([200, 406]).toContain(status);
      }),
      { numRuns: 200 },
    );
  });

  it('whatever its body is made of', async () => {
    const type = fc.constantFrom(
      'application/json',
      'application/json-patch+json',
      'text/plain',
      'application/json;charset=',
      ';',
      'a/b',
      '',
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 60, unit: 'binary' }), type, async (payload, contentType) => {
        expect(
          await survive({ method: 'POST', url: '/v1/nodes', headers: { 'content-type': contentType }, payload }),
        ).toBeTypeOf('number');
      }),
      { numRuns: 2000 },
    );
  });

  it('however big or deep its body is', async () => {
    const huge = JSON.stringify({ driver: 'fake-hardware', extra: { a: 'x'.repeat(3_000_000) } });
    const deep = `{"driver":"fake-hardware","extra":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
    const headers = { 'content-type': 'application/json' };
    expect(await survive({ method: 'POST', url: '/v1/nodes', headers, payload: huge })).toBe(413);
    expect(await survive({ method: 'POST', url: '/v1/nodes', headers, payload: deep })).toBe(400);
  });

  it('however deep patches pile up', async () => {
    const path = `/extra${'/a'.repeat(30)}`;
    const piled = Array.from({ length: 40 }, (_, depth) => ({
      op: 'add',
      path: `/extra${'/a'.repeat(depth + 1)}`,
      value: {},
    }));
    const headers = { 'content-type': 'application/json' };
    const url = `/v1/nodes/${nodeUuid}`;
    expect(await survive({ method: 'PATCH', url, headers, payload: JSON.stringify(piled) })).toBe(400);
    const deep = JSON.stringify([{ op: 'add', path, value: 1 }]);
    expect(await survive({ method: 'PATCH', url, headers, payload: deep })).toBe(400);
  });

  it('when it is no HTTP at all', async () => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((api.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.write('GET / HTTP/9.9\r\nbroken\r\n\r\n');
    const [text] = (await once(socket, 'data')) as [string];
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(text).toContain('{"error_message":');
    socket.destroy();
  });
});

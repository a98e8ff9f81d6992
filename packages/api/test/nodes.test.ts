import { Secret } from '@ironbark/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { fault, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';
import { newNode } from './fake-engine.ts';

let api: ApiUnderTest;
beforeEach(() => {
  api = startApi();
});

function patch(...operations: readonly object[]) {
  return api.call('PATCH', '/v1/nodes/bfv-1', operations);
}

describe('creating a node', () => {
  it('takes every field that clients may set', async () => {
    const body = {
      uuid: '0A1B2C3D-0000-4000-8000-00000000000a',
      driver: 'fake-hardware',
      name: 'n-1',
      automated_clean: 'False',
      boot_interface: 'ipxe',
      storage_interface: 'external',
      console_interface: 'no-console',
      conductor_group: 'Rack1',
      description: 'd',
      driver_info: { a: 1 },
      extra: { b: [1, { c: null }] },
      instance_info: { image_source: 'x' },
      instance_uuid: 'AAAAAAAA-0000-4000-8000-00000000000b',
      lessee: 'l',
      maintenance: true,
      network_data: { links: [] },
      owner: 'o',
      properties: { cpus: 2 },
      resource_class: 'rc',
      retired: true,
      retired_reason: 'old',
    };
    const answer = await api.call('POST', '/v1/nodes', body);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers['location']).toBe('http://localhost:80/v1/nodes/0a1b2c3d-0000-4000-8000-00000000000a');
    expect(answer.body).toMatchObject({
      ...body,
      uuid: body.uuid.toLowerCase(),
      instance_uuid: body.instance_uuid.toLowerCase(),
      automated_clean: false,
      conductor_group: 'rack1',
    });
  });

  it('answers 400 for a driver that there is not', async () => {
    const answer = await api.call('POST', '/v1/nodes', { driver: 'ipmi' });
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain('No valid host was found');
  });

  it.each(['bad name', 'a/b', '', 'x'.repeat(256), nodeUuid, 'detail'])('refuses the name %j', async (name) => {
    expect((await api.call('POST', '/v1/nodes', { driver: 'fake-hardware', name })).status).toBe(400);
  });

  it('keeps credentials secret from the moment they arrive', async () => {
    const answer = await api.call('POST', '/v1/nodes', {
      driver: 'fake-hardware',
      driver_info: { redfish_password: 'hunter2', nested: [{ api_token: 'hunter2' }] },
      instance_info: { configdrive: { user_data: 'hunter2' }, image_url: 'http://x/?sig=hunter2' },
    });
    expect(answer.text).not.toContain('hunter2');
    expect(answer.body.driver_info).toEqual({ redfish_password: '******', nested: [{ api_token: '******' }] });
    const { driverInfo } = api.fake.node(answer.body.uuid);
    expect((driverInfo['redfish_password'] as Secret).reveal()).toBe('hunter2');
  });
});

describe('patching a node', () => {
  it('adds, replaces and removes at any depth', async () => {
    api.fake.change(nodeUuid, { extra: { a: { b: [1, 2, 3] }, gone: true } });
    const { body } = await patch(
      { op: 'add', path: '/extra/a/b/-', value: 4 },
      { op: 'add', path: '/extra/a/b/0', value: 0 },
      { op: 'replace', path: '/extra/a/b/1', value: 'one' },
      { op: 'remove', path: '/extra/a/b/2' },
      { op: 'add', path: '/extra/with~1slash~0tilde', value: null },
      { op: 'remove', path: '/extra/gone' },
    );
    expect(body.extra).toEqual({ a: { b: [0, 'one', 3, 4] }, 'with/slash~tilde': null });
  });

  it('reverts a field to its default when it is removed', async () => {
    api.fake.change(nodeUuid, { description: 'd', properties: { a: 1 }, protected: true, owner: 'o' });
    await patch({ op: 'replace', path: '/storage_interface', value: 'external' });
    const paths = ['/description', '/properties', '/protected', '/owner', '/storage_interface', '/name'];
    const { body } = await patch(...paths.map((path) => ({ op: 'remove', path })));
    expect(body).toMatchObject({
      description: null,
      properties: {},
      protected: false,
      owner: null,
      storage_interface: 'noop',
      name: null,
    });
  });

  it('takes a key that is not there for removed', async () => {
    api.fake.change(nodeUuid, { instanceInfo: { a: 1 } });
    const answer = await patch({ op: 'remove', path: '/instance_info/image_source' });
    expect([answer.status, answer.body.instance_info]).toEqual([200, { a: 1 }]);
  });

  it('touches no field that it does not name', async () => {
    const before = api.fake.node(nodeUuid);
    await patch({ op: 'add', path: '/extra/k', value: 'v' });
    const { extra, updatedAt: _updatedAt, ...after } = api.fake.node(nodeUuid);
    expect(extra).toEqual({ k: 'v' });
    expect(before).toMatchObject(after);
  });

  it('keeps a secret whose mask the client sends back, and takes a new one', async () => {
    const secret = Secret.of('old');
    api.fake.change(nodeUuid, { driverInfo: { redfish_password: secret, redfish_address: 'a' } });
    const shown = await api.call('GET', '/v1/nodes/bfv-1');
    await patch({ op: 'replace', path: '/driver_info', value: { ...shown.body.driver_info, redfish_address: 'b' } });
    expect(api.fake.node(nodeUuid).driverInfo).toEqual({ redfish_password: secret, redfish_address: 'b' });
    await patch({ op: 'replace', path: '/driver_info/redfish_password', value: '******' });
    expect((api.fake.node(nodeUuid).driverInfo['redfish_password'] as Secret).reveal()).toBe('old');
    await patch({ op: 'replace', path: '/driver_info/redfish_password', value: 'new' });
    expect((api.fake.node(nodeUuid).driverInfo['redfish_password'] as Secret).reveal()).toBe('new');
  });

  it('leaves secrets beside the patched value alone', async () => {
    const secret = Secret.of('old');
    api.fake.change(nodeUuid, { driverInfo: { redfish_password: secret } });
    const answer = await patch({ op: 'add', path: '/driver_info/redfish_address', value: 'a' });
    expect(answer.text).not.toContain('"old"');
    expect((api.fake.node(nodeUuid).driverInfo['redfish_password'] as Secret).reveal()).toBe('old');
  });

  it.each([
    ['/uuid', 'Cannot patch /uuid. Only the following can be updated: '],
    ['/provision_state', 'Cannot patch /provision_state.'],
    ['/', 'Cannot patch /.'],
    ['/extra/__proto__/polluted', 'Cannot patch /extra/__proto__/polluted.'],
    ['/constructor/prototype', 'Cannot patch /constructor/prototype.'],
    ['/extra/a/b/c', "Couldn't apply patch 'add /extra/a/b/c'. Reason: there is nothing at that path."],
    ['/name/first', "Couldn't apply patch 'add /name/first'."],
    ['extra', 'Field "path" is malformed'],
  ])('refuses the path %s', async (path, message) => {
    const answer = await patch({ op: 'add', path, value: 'x' });
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain(message);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    [{ op: 'move', path: '/extra/a', from: '/extra/b' }],
    [{ op: 'test', path: '/extra/a', value: 1 }],
    [{ op: 'add', path: '/extra/a' }],
    [{ op: 'replace', path: '/extra/missing', value: 1 }],
    [{ op: 'remove', path: '/extra/missing/deeper' }],
    [{ op: 'replace', path: '/driver', value: 'ipmi2', extra: 1 }],
    [{ op: 'remove', path: '/driver' }],
    [{ op: 'replace', path: '/retired', value: 'perhaps' }],
    [{ op: 'replace', path: '/bios_interface', value: 'redfish' }],
  ])('refuses the operation %j', async (operation) => {
    expect((await patch(operation)).status).toBe(400);
  });

  it('takes both media types', async () => {
    const operations = [{ op: 'add', path: '/extra/k', value: 1 }];
    for (const type of ['application/json', 'application/json-patch+json', 'application/json; charset=UTF-8']) {
      const answer = await api.call('PATCH', '/v1/nodes/bfv-1', JSON.stringify(operations), { 'content-type': type });
      expect(answer.status).toBe(200);
    }
  });

  it('sets maintenance, which clients find among the fields', async () => {
    expect((await patch({ op: 'replace', path: '/maintenance', value: 'True' })).body.maintenance).toBe(true);
    expect((await patch({ op: 'replace', path: '/maintenance', value: false })).body.maintenance).toBe(false);
  });

  it('resets interfaces only together with the driver', async () => {
    const url = '/v1/nodes/bfv-1?reset_interfaces=True';
    const driver = { op: 'replace', path: '/driver', value: 'fake-hardware' };
    await patch({ op: 'replace', path: '/storage_interface', value: 'external' });
    expect((await api.call('PATCH', url, [])).status).toBe(400);
    expect((await api.call('PATCH', url, [driver])).body.storage_interface).toBe('noop');
  });

  it('is 404 for a node that there is not', async () => {
    expect((await api.call('PATCH', '/v1/nodes/nowhere', [])).status).toBe(404);
  });
});

describe('showing nodes', () => {
  it('shows only the fields that are asked for, and the links', async () => {
    const { body } = await api.call('GET', '/v1/nodes/bfv-1?fields=name,driver_info');
    expect(Object.keys(body)).toEqual(['name', 'driver_info', 'links']);
  });

  it('finds a node by its uuid in capitals too', async () => {
    expect((await api.call('GET', `/v1/nodes/${nodeUuid.toUpperCase()}`)).body.name).toBe('bfv-1');
  });

  it('gives addresses as the client sees them, or as configured', async () => {
    const seen = await api.call('GET', '/v1/nodes/bfv-1', undefined, { host: 'ironbark.example:6385' });
    expect(seen.body.links).toEqual([
      { href: `http://ironbark.example:6385/v1/nodes/${nodeUuid}`, rel: 'self' },
      { href: `http://ironbark.example:6385/nodes/${nodeUuid}`, rel: 'bookmark' },
    ]);
    const odd = await api.call('GET', '/v1/nodes/bfv-1', undefined, { host: 'a"b/<script>' });
    expect(odd.body.links[0].href).toBe(`http://localhost/v1/nodes/${nodeUuid}`);
  });

  it.each(['/nodes/bfv-1', '/v1/nodes/bfv-1/', '/nodes/bfv-1/?fields=name'])(
    'tolerates the address %s',
    async (url) => {
      expect((await api.call('GET', url)).body.name).toBe('bfv-1');
    },
  );

  it.each([
    ['fields=bogus', 400],
    ['fields=uuid&detail=True', 400],
    ['detail=maybe', 400],
    ['limit=0', 400],
    ['limit=-1', 400],
    ['limit=many', 400],
    ['sort_dir=up', 400],
    ['sort_key=driver_info', 400],
    ['sort_key=__proto__', 400],
    ['provision_state=sleeping', 400],
    ['maintenance=perhaps', 400],
    ['instance_uuid=x', 400],
    ['marker=00000000-0000-4000-8000-000000000000', 404],
  ])('refuses a list with ?%s', async (query, status) => {
    const answer = await api.call('GET', `/v1/nodes?${query}`);
    expect(answer.status, answer.text).toBe(status);
  });

  it.each([
    ['instance_uuid=aaaaaaaa-0000-4000-8000-00000000000a', ['b']],
    ['associated=True', ['b']],
    ['associated=no', ['bfv-1', 'c']],
    ['maintenance=True', ['c']],
    ['retired=1', ['c']],
    ['provision_state=active', ['b']],
    ['driver=fake-hardware', ['bfv-1', 'b', 'c']],
    ['resource_class=big', ['b']],
    ['fault=power failure', ['c']],
    ['conductor_group=RACK1', ['b']],
    ['conductor=fake-conductor', ['bfv-1', 'b', 'c']],
    ['owner=me', ['b']],
    ['lessee=me', ['c']],
    ['project=me', ['b', 'c']],
    ['description_contains=ldy', ['c']],
    ['sort_key=name&sort_dir=desc', ['c', 'bfv-1', 'b']],
    ['owner=me&maintenance=True', []],
  ])('lists with ?%s', async (query, names) => {
    const b = newNode('00000000-0000-4000-8000-00000000000b', { name: 'b', owner: 'me', resourceClass: 'big' });
    const c = newNode('00000000-0000-4000-8000-00000000000c', { name: 'c', lessee: 'me', description: 'mouldy' });
    api.fake.nodeRows.set(b.uuid, {
      ...b,
      instanceUuid: 'aaaaaaaa-0000-4000-8000-00000000000a',
      provisionState: 'active',
      conductorGroup: 'rack1',
    });
    api.fake.nodeRows.set(c.uuid, { ...c, maintenance: true, retired: true, fault: 'power failure' });
    const { body } = await api.call('GET', encodeURI(`/v1/nodes?${query}`));
    expect(body.nodes.map(({ name }: { name: string }) => name)).toEqual(names);
  });

  it('leads through the pages with the filters and fields of the first', async () => {
    for (let index = 0; index < 4; index += 1) {
      const uuid = `00000000-0000-4000-8000-00000000000${index}`;
      api.fake.nodeRows.set(uuid, newNode(uuid, { owner: 'me' }));
    }
    const seen: string[] = [];
    let url: string | undefined = '/v1/nodes?owner=me&fields=uuid,owner&limit=2&sort_key=uuid';
    while (url !== undefined) {
      const { body } = await api.call('GET', url);
      seen.push(...body.nodes.map((node: object) => Object.values(node)[0] as string));
      expect(Object.keys(body.nodes[0] ?? { uuid: 1, owner: 1, links: 1 })).toEqual(['uuid', 'owner', 'links']);
      url = body.next?.replace('http://localhost:80', '');
    }
    expect(seen.map((uuid) => uuid.at(-1))).toEqual(['0', '1', '2', '3']);
  });
});

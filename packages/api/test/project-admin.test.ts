import { describe, expect, it } from 'vitest';
import { systemRules } from '../src/index.ts';
import { as, fault, headerAuth, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

const admin = as({ roles: ['admin'], project: 'p1', system: false });
const operator = as({ roles: ['admin'] });
const foreign = '11111111-1111-4111-8111-111111111111';
const leased = '22222222-2222-4222-8222-222222222222';

/** Three nodes: one of the project p1, one of p2, and one of p2 that p1 leases. */
function start(): ApiUnderTest {
  const api = startApi({ auth: headerAuth() });
  api.fake.change(nodeUuid, { owner: 'p1' });
  const node = api.fake.node(nodeUuid);
  api.fake.nodeRows.set(foreign, { ...node, uuid: foreign, name: 'foreign', owner: 'p2' });
  api.fake.nodeRows.set(leased, { ...node, uuid: leased, name: 'leased', owner: 'p2', lessee: 'p1' });
  return api;
}

const routes = start().app.apiRoutes.flatMap(({ method, url, config }) =>
  [method].flat().map((one) => ({
    method: one,
    url,
    rule: config?.rule ?? 'public',
    refusesAll: config?.hidden === true,
  })),
);
const ofNodes = routes.filter(
  ({ url, rule, refusesAll }) =>
    rule !== 'public' && !refusesAll && url.includes('/nodes/:') && !systemRules.includes(rule),
);
/** Bodies that are well-formed, so that nothing but the ownership refuses them. */
const bodies: Readonly<Record<string, unknown>> = {
  'PATCH /v1/nodes/:ident': [{ op: 'add', path: '/description', value: 'x' }],
  'PUT /v1/nodes/:ident/states/power': { target: 'power on' },
  'PUT /v1/nodes/:ident/states/provision': { target: 'active' },
  'PUT /v1/nodes/:ident/states/boot_mode': { target: 'uefi' },
  'PUT /v1/nodes/:ident/states/secure_boot': { target: true },
  'PUT /v1/nodes/:ident/management/boot_device': { boot_device: 'pxe' },
  'PUT /v1/nodes/:ident/traits': { traits: [] },
  'POST /v1/nodes/:ident/vifs': { id: 'a' },
};
const address = (url: string, node: string) =>
  url
    .replace(/:(?:ident|uuid)/, node)
    .replace(':trait', 'CUSTOM_A')
    .replaceAll(/:\w+/g, foreign);
const bodyOf = (method: string, url: string) =>
  bodies[`${method} ${url}`] ?? (method === 'GET' || method === 'HEAD' ? undefined : {});

describe('an administrator of a project', () => {
  it.each(routes.filter(({ rule }) => systemRules.includes(rule)))(
    'may not use what belongs to no project: $method $url',
    async ({ method, url }) => {
      const api = start();
      expect((await api.call(method, address(url, nodeUuid), bodyOf(method, url), admin)).status).toBe(403);
      expect(api.fake.calls).toEqual([]);
    },
  );

  it.each(ofNodes)('does not learn of nodes of others: $method $url', async ({ method, url }) => {
    const api = start();
    const before = structuredClone([...api.fake.nodeRows]);
    const answer = await api.call(method, address(url, foreign), bodyOf(method, url), admin);
    expect(answer.status, answer.text).toBe(404);
    expect(api.fake.calls).toEqual([]);
    expect([...api.fake.nodeRows]).toEqual(before);
  });

  it('may not change what describes a node that it only leases', async () => {
    const api = start();
    const answers = [
      await api.call('PATCH', `/v1/nodes/${leased}`, [{ op: 'add', path: '/name', value: 'mine' }], admin),
      await api.call('PATCH', `/v1/nodes/${leased}`, [{ op: 'remove', path: '/instance_uuid' }], admin),
      await api.call('DELETE', `/v1/nodes/${leased}`, undefined, admin),
      await api.call('PUT', `/v1/nodes/${leased}/traits`, { traits: ['CUSTOM_A'] }, admin),
      await api.call('PUT', `/v1/nodes/${leased}/traits/CUSTOM_A`, undefined, admin),
      await api.call('DELETE', `/v1/nodes/${leased}/traits`, undefined, admin),
      await api.call('DELETE', `/v1/nodes/${leased}/traits/CUSTOM_A`, undefined, admin),
      await api.call('POST', '/v1/ports', { node_uuid: leased, address: '52:54:00:00:00:01' }, admin),
      await api.call('PUT', `/v1/nodes/${leased}/management/boot_device`, { boot_device: 'pxe' }, admin),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    expect(api.fake.node(leased)).toMatchObject({ name: 'leased', traits: [] });
  });

  it('uses a node that it leases', async () => {
    const api = start();
    const target = { node_uuid: leased, volume_type: 'iscsi', boot_index: 0, volume_id: 'v' };
    const info = [{ op: 'add', path: '/instance_info/image_source', value: 'x' }];
    expect((await api.call('PATCH', `/v1/nodes/${leased}`, info, admin)).status).toBe(200);
    expect((await api.call('PUT', `/v1/nodes/${leased}/maintenance`, {}, admin)).status).toBe(202);
    const created = await api.call('POST', '/v1/volume/targets', { ...target, properties: { a: 1 } }, admin);
    expect(created.body.properties).toEqual({ a: 1 });
  });

  it('changes, renames and deletes its own nodes', async () => {
    const api = start();
    const patch = [
      { op: 'replace', path: '/name', value: 'renamed' },
      { op: 'add', path: '/driver_info/address', value: 'bmc.example' },
      { op: 'add', path: '/lessee', value: 'p3' },
    ];
    const changed = await api.call('PATCH', `/v1/nodes/${nodeUuid}`, patch, admin);
    expect(changed.body).toMatchObject({ name: 'renamed', driver_info: { address: 'bmc.example' }, lessee: 'p3' });
    expect((await api.call('DELETE', `/v1/nodes/${nodeUuid}`, undefined, admin)).status).toBe(204);
  });

  it.each([
    ['owner', 'p2'],
    ['chassis_uuid', foreign],
    ['conductor_group', 'rack-1'],
    ['automated_clean', false],
  ])('does not choose the %s of its nodes', async (field, value) => {
    const api = start();
    const patch = [{ op: 'add', path: `/${field}`, value }];
    expect((await api.call('PATCH', `/v1/nodes/${nodeUuid}`, patch, admin)).status).toBe(403);
    const created = await api.call('POST', '/v1/nodes', { driver: 'fake-hardware', [field]: value }, admin);
    expect(created.status).toBe(403);
    expect(fault(created).faultstring).toContain(`baremetal:node:update:${field}`);
    expect(api.fake.nodeRows.size).toBe(3);
  });

  it.each([{}, { owner: null }, { owner: 'p1' }])('owns the nodes that it enrolls with %j', async (given) => {
    const api = start();
    const created = await api.call('POST', '/v1/nodes', { driver: 'fake-hardware', ...given }, admin);
    expect(created.status, created.text).toBe(201);
    expect(created.body.owner).toBe('p1');
  });

  it('owns them also with a version that does not know owners', async () => {
    const api = start();
    const headers = { ...admin, 'x-openstack-ironic-api-version': '1.31' };
    const created = await api.call('POST', '/v1/nodes', { driver: 'fake-hardware' }, headers);
    expect(api.fake.node(created.body.uuid).owner).toBe('p1');
  });
});

describe.each([
  ['ports', '/v1/ports', { address: '52:54:00:00:00:0a' }],
  ['connectors', '/v1/volume/connectors', { type: 'iqn', connector_id: 'iqn.2026-01.example:a' }],
  ['targets', '/v1/volume/targets', { volume_type: 'iscsi', boot_index: 0, volume_id: 'v' }],
] as const)('%s of an administrator of a project', (_name, url, fields) => {
  const rowsOf = ({ fake }: ApiUnderTest) =>
    ({
      '/v1/ports': fake.ports,
      '/v1/volume/connectors': fake.volumeConnectors,
      '/v1/volume/targets': fake.volumeTargets,
    })[url].rows as ReadonlyMap<string, { readonly nodeUuid: string; readonly extra: object }>;
  const extra = [{ op: 'add', path: '/extra/a', value: 1 }];

  it('belong to nodes of the project', async () => {
    const api = start();
    const created = await api.call('POST', url, { ...fields, node_uuid: nodeUuid }, admin);
    expect(created.status, created.text).toBe(201);
    const one = `${url}/${created.body.uuid}`;
    expect((await api.call('PATCH', one, extra, admin)).body.extra).toEqual({ a: 1 });
    expect((await api.call('DELETE', one, undefined, admin)).status).toBe(204);
  });

  it('cannot be made for nodes of others, which are as good as missing', async () => {
    const api = start();
    const refused = await api.call('POST', url, { ...fields, node_uuid: foreign }, admin);
    const missing = '99999999-9999-4999-8999-999999999999';
    const unknown = await api.call('POST', url, { ...fields, node_uuid: missing }, admin);
    expect([refused.status, unknown.status]).toEqual([400, 400]);
    expect(refused.text).toBe(unknown.text.replaceAll(missing, foreign));
    expect(rowsOf(api).size).toBe(0);
  });

  it('are the only ones that it changes and deletes', async () => {
    const api = start();
    const created = await api.call('POST', url, { ...fields, node_uuid: foreign }, operator);
    const one = `${url}/${created.body.uuid}`;
    expect((await api.call('PATCH', one, extra, admin)).status).toBe(404);
    expect((await api.call('DELETE', one, undefined, admin)).status).toBe(404);
    expect(rowsOf(api).get(created.body.uuid)?.extra).toEqual({});
  });

  it('cannot be moved to another node', async () => {
    const api = start();
    const created = await api.call('POST', url, { ...fields, node_uuid: nodeUuid }, admin);
    const move = [{ op: 'replace', path: '/node_uuid', value: foreign }];
    expect((await api.call('PATCH', `${url}/${created.body.uuid}`, move, admin)).status).toBe(403);
    expect(rowsOf(api).get(created.body.uuid)?.nodeUuid).toBe(nodeUuid);
  });
});

describe('a volume target', () => {
  const fields = { volume_type: 'iscsi', boot_index: 0, volume_id: 'v', node_uuid: nodeUuid };
  const projectOf = ({ fake }: ApiUnderTest, uuid: string) => fake.volumeTargets.rows.get(uuid)?.projectId ?? null;

  it.each([
    ['a project', admin, 'p1'],
    ['an operator', operator, null],
  ])('remembers that %s named its volume', async (_who, identity, project) => {
    const api = start();
    const { body } = await api.call('POST', '/v1/volume/targets', fields, identity);
    expect(projectOf(api, body.uuid)).toBe(project);
    expect(body).not.toHaveProperty('project_id');
  });

  it("of an operator becomes the project's when the project names another volume, and not before", async () => {
    const api = start();
    const { body } = await api.call('POST', '/v1/volume/targets', fields, operator);
    const replace = (path: string, value: unknown) => {
      return api.call('PATCH', `/v1/volume/targets/${body.uuid}`, [{ op: 'replace', path, value }], admin);
    };
    await replace('/boot_index', 1);
    await replace('/volume_id', 'v');
    expect(projectOf(api, body.uuid)).toBeNull();
    await replace('/volume_id', 'w');
    expect(projectOf(api, body.uuid)).toBe('p1');
  });
});

describe('a service', () => {
  const service = as({ roles: ['service'] });

  it('takes machines for its instances, and gives them volumes', async () => {
    const api = start();
    const patch = [
      { op: 'add', path: '/instance_uuid', value: foreign },
      { op: 'add', path: '/instance_info/display_name', value: 'web' },
    ];
    const target = { node_uuid: foreign, volume_type: 'iscsi', boot_index: 0, volume_id: 'v', properties: { a: 1 } };
    expect((await api.call('PATCH', `/v1/nodes/${foreign}`, patch, service)).status).toBe(200);
    const created = await api.call('POST', '/v1/volume/targets', target, service);
    expect(created.body.properties).toEqual({ a: 1 });
    const deleted = await api.call('DELETE', `/v1/volume/targets/${created.body.uuid}`, undefined, service);
    expect(deleted.status).toBe(204);
  });

  it('enrolls none, changes nothing else of them, and deletes none', async () => {
    const api = start();
    const rename = [{ op: 'add', path: '/name', value: 'x' }];
    expect((await api.call('POST', '/v1/nodes', { driver: 'fake-hardware' }, service)).status).toBe(403);
    expect((await api.call('PATCH', `/v1/nodes/${foreign}`, rename, service)).status).toBe(403);
    expect((await api.call('DELETE', `/v1/nodes/${foreign}`, undefined, service)).status).toBe(403);
  });
});

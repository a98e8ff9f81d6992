import { describe, expect, it } from 'vitest';
import { policy, roles, type Role, type Rule } from '../src/index.ts';
import { as, fault, headerAuth, nodeUuid, send, startApi } from './api-under-test.ts';

const publicUrls = [
  '/',
  '/v1',
  '/v1/lookup',
  '/v1/heartbeat/:ident',
  '/ironbark/v1/boot-report/:nodeUuid',
  '/ironbark/v1/openapi.json',
];

const { app } = startApi({ auth: headerAuth() });
const everyRoute = app.apiRoutes.flatMap(({ method, url, config }) =>
  [method].flat().map((one) => ({ method: one, url, least: policy[config?.rule ?? 'public'] })),
);
const isPublic = (url: string) => publicUrls.includes(url);
const guarded = everyRoute.filter(({ url }) => !isPublic(url));
const address = (url: string) => url.replaceAll(/:\w+/g, nodeUuid);
const emptyBody = (method: string) => (method === 'GET' || method === 'HEAD' ? undefined : {});

describe('every route', () => {
  it('has been found', () => {
    expect(everyRoute.length).toBeGreaterThan(100);
    expect(everyRoute.filter(({ url }) => isPublic(url)).map(({ url }) => url)).toEqual(
      expect.arrayContaining(publicUrls),
    );
  });

  it.each(guarded)('$method $url refuses a request without authentication', async ({ method, url }) => {
    const answer = await send(app, method, address(url), emptyBody(method));
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Test');
  });

  it.each(guarded)('$method $url asks for the role $least', async ({ method, url, least }) => {
    const tooLow = roles.slice(0, roles.indexOf(least as Role));
    const answer = await send(app, method, address(url), emptyBody(method), as({ roles: tooLow }));
    expect(answer.status).toBe(403);
    const expected = { faultcode: 'Client', code: 'FORBIDDEN' };
    expect(method === 'HEAD' ? expected : fault(answer)).toMatchObject(expected);
  });

  it.each(guarded.filter(({ url, method }) => !url.endsWith('/events') && method !== 'HEAD'))(
    '$method $url lets the role $least in',
    async ({ method, url, least }) => {
      const answer = await send(app, method, address(url), emptyBody(method), as({ roles: [least as Role] }));
      expect([401, 403]).not.toContain(answer.status);
    },
  );

  it.each(everyRoute.filter(({ url }) => isPublic(url)))('$method $url is public', async ({ method, url }) => {
    const answer = await send(app, method, address(url), emptyBody(method));
    expect([401, 403]).not.toContain(answer.status);
  });

  it('lets readers read only', () => {
    const writable = guarded.filter(({ method, least }) => least === 'reader' && method !== 'GET' && method !== 'HEAD');
    expect(writable).toEqual([]);
  });
});

describe('an address that no route has', () => {
  it('asks for authentication before it says so', async () => {
    expect((await send(app, 'GET', '/v1/nothing')).status).toBe(401);
    expect((await send(app, 'GET', '/v1/nothing', undefined, as({}))).status).toBe(404);
  });
});

describe('a member of a project', () => {
  const member = as({ roles: ['member'], project: 'p1', system: false });
  const others = '11111111-1111-4111-8111-111111111111';

  function startWithTwoOwners() {
    const api = startApi({ auth: headerAuth() });
    api.fake.change(nodeUuid, { owner: 'p1' });
    api.fake.nodeRows.set(others, { ...api.fake.node(nodeUuid), uuid: others, name: 'other', owner: 'p2' });
    return api;
  }

  it('sees the nodes of the project only', async () => {
    const api = startWithTwoOwners();
    const { body } = await api.call('GET', '/v1/nodes', undefined, member);
    expect(body.nodes.map(({ uuid }: { uuid: string }) => uuid)).toEqual([nodeUuid]);
  });

  it('changes states of its own nodes, and does not learn of others', async () => {
    const api = startWithTwoOwners();
    const url = (ident: string) => `/v1/nodes/${ident}/states/power`;
    expect((await api.call('PUT', url(nodeUuid), { target: 'power on' }, member)).status).toBe(202);
    const refused = await api.call('PUT', url(others), { target: 'power on' }, member);
    const missing = await api.call('PUT', url('nowhere'), { target: 'power on' }, member);
    expect([refused.status, missing.status]).toEqual([404, 404]);
    expect(api.fake.calls).toHaveLength(1);
  });

  it.each([
    ['GET', `/v1/nodes/${others}`],
    ['GET', `/v1/nodes/${others}/states`],
    ['GET', `/v1/nodes/${others}/validate`],
    ['GET', `/v1/nodes/${others}/ports`],
    ['GET', `/v1/nodes/${others}/portgroups`],
    ['GET', `/v1/nodes/${others}/volume`],
    ['GET', `/v1/nodes/${others}/volume/targets`],
    ['GET', `/v1/nodes/${others}/vifs`],
    ['GET', `/v1/nodes/${others}/traits`],
    ['GET', `/v1/nodes/${others}/history`],
    ['GET', `/v1/nodes/${others}/management/boot_device`],
    ['GET', `/v1/nodes/${others}/management/boot_device/supported`],
    ['GET', `/v1/nodes/${others}/states/console`],
    ['GET', `/v1/ports?node=${others}`],
    ['GET', `/ironbark/v1/nodes/${others}/operations`],
    ['GET', `/ironbark/v1/events?node=${others}`],
    ['PUT', `/v1/nodes/${others}/states/provision`, { target: 'active' }],
    ['PUT', `/v1/nodes/${others}/states/boot_mode`, { target: 'uefi' }],
    ['PUT', `/v1/nodes/${others}/states/secure_boot`, { target: true }],
    ['PUT', `/v1/nodes/${others}/management/boot_device`, { boot_device: 'pxe' }],
    ['POST', `/v1/nodes/${others}/vifs`, { id: 'a' }],
    ['DELETE', `/v1/nodes/${others}/vifs/a`],
    ['PATCH', `/v1/nodes/${others}`, [{ op: 'add', path: '/extra/a', value: 1 }]],
  ])('does not reach another project by %s %s', async (method, url, body?: unknown) => {
    const api = startWithTwoOwners();
    expect((await api.call(method, url, body, member)).status).toBe(404);
    expect(api.fake.calls).toEqual([]);
  });

  it('sees records that belong to its own nodes only', async () => {
    const api = startWithTwoOwners();
    const created = await Promise.all(
      [nodeUuid, others].map(async (node_uuid, index) => {
        const port = { node_uuid, address: `52:54:00:00:00:0${index}` };
        const target = {
          node_uuid,
          volume_type: 'iscsi',
          boot_index: 0,
          volume_id: 'v',
          properties: { target_iqn: 'q' },
        };
        const admin = as({ roles: ['admin'] });
        return [
          await api.call('POST', '/v1/ports', port, admin),
          await api.call('POST', '/v1/volume/targets', target, admin),
        ];
      }),
    );
    const [own, foreign] = created;
    const ports = await api.call('GET', '/v1/ports?limit=1', undefined, member);
    expect(ports.body.ports.map(({ uuid }: { uuid: string }) => uuid)).toEqual([own?.[0]?.body.uuid]);
    const targets = await api.call('GET', '/v1/volume/targets?detail=True', undefined, member);
    expect(targets.body.targets).toHaveLength(1);
    expect(Object.keys(targets.body.targets[0].properties)).toEqual(['redacted_contents']);
    expect((await api.call('GET', `/v1/ports/${foreign?.[0]?.body.uuid}`, undefined, member)).status).toBe(404);
    expect((await api.call('GET', `/v1/volume/targets/${foreign?.[1]?.body.uuid}`, undefined, member)).status).toBe(
      404,
    );
    expect((await api.call('GET', `/v1/ports/${own?.[0]?.body.uuid}`, undefined, member)).status).toBe(200);
  });

  it('changes what describes its use of a node, and nothing else of it', async () => {
    const api = startWithTwoOwners();
    const patch = (path: string) =>
      api.call('PATCH', `/v1/nodes/${nodeUuid}`, [{ op: 'add', path, value: 'x' }], member);
    expect((await patch('/instance_info/image_source')).status).toBe(200);
    expect((await patch('/driver_info/address')).status).toBe(403);
    expect((await patch('/owner')).status).toBe(403);
  });

  it('does not see how the owner reaches a node that it only leases', async () => {
    const api = startWithTwoOwners();
    api.fake.change(others, { lessee: 'p1', driverInfo: { address: 'bmc.example' }, lastError: 'at bmc.example' });
    const answer = await api.call('GET', `/v1/nodes/${others}`, undefined, member);
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('bmc.example');
  });

  it.each([
    '/v1/nodes/:node/history',
    '/v1/nodes/:node/management/boot_device',
    '/v1/nodes/:node/management/boot_device/supported',
    '/ironbark/v1/nodes/:node/operations',
    '/ironbark/v1/events?node=:node',
  ])('is not shown %s of a node that it only leases', async (path) => {
    const api = startWithTwoOwners();
    api.fake.change(others, { lessee: 'p1' });
    const headers = { ...member, 'x-openstack-ironic-api-version': '1.80' };
    expect((await api.call('GET', path.replace(':node', others), undefined, headers)).status).toBe(403);
  });
});

describe('nobody of any project', () => {
  it('sees no nodes, even those that have no owner', async () => {
    const api = startApi({ auth: headerAuth() });
    const reader = as({ roles: ['reader'], project: null, system: false });
    expect((await api.call('GET', '/v1/nodes', undefined, reader)).body.nodes).toEqual([]);
    expect((await api.call('GET', `/v1/nodes/${nodeUuid}`, undefined, reader)).status).toBe(404);
  });
});

describe('the policy', () => {
  // Written down twice on purpose: a slip in the table would open a route.
  const admin = [
    'baremetal:node:create',
    'baremetal:node:update',
    'baremetal:node:delete',
    'baremetal:node:set_raid_state',
    'baremetal:node:set_maintenance',
    'baremetal:node:clear_maintenance',
    'baremetal:node:traits:set',
    'baremetal:node:traits:delete',
    'baremetal:node:vendor_passthru',
    'baremetal:port:create',
    'baremetal:port:update',
    'baremetal:port:delete',
    'baremetal:chassis:create',
    'baremetal:chassis:update',
    'baremetal:chassis:delete',
    'baremetal:driver:vendor_passthru',
  ];
  const service = [
    'baremetal:node:update:instance_uuid',
    'baremetal:node:set_console_state',
    'baremetal:node:inject_nmi',
    'baremetal:volume:create',
    'baremetal:volume:update',
    'baremetal:volume:delete',
  ];
  const member = [
    'baremetal:node:update_instance_info',
    'baremetal:node:set_power_state',
    'baremetal:node:set_provision_state',
    'baremetal:node:set_boot_mode',
    'baremetal:node:set_secure_boot',
    'baremetal:node:set_boot_device',
    'baremetal:node:vif:attach',
    'baremetal:node:vif:detach',
  ];

  it.each(admin)('asks for an administrator: %s', (rule) => {
    expect(policy[rule as Rule]).toBe('admin');
  });

  it.each(service)('asks for a service: %s', (rule) => {
    expect(policy[rule as Rule]).toBe('service');
  });

  it.each(member)('asks for a member: %s', (rule) => {
    expect(policy[rule as Rule]).toBe('member');
  });

  it('lets everybody without credentials do nothing but what is public', () => {
    expect(Object.entries(policy).filter(([, role]) => role === 'public')).toEqual([['public', 'public']]);
  });
});

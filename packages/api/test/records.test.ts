import { revealText } from '@ironbark/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { fault, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

const nowhere = '00000000-0000-4000-8000-000000000000';
let api: ApiUnderTest;
beforeEach(() => {
  api = startApi();
});

describe('ports', () => {
  const create = (fields: object = {}) =>
    api.call('POST', '/v1/ports', { node_uuid: nodeUuid, address: '52:54:00:AA:BB:CC', ...fields });

  it('are created, shown, changed and deleted', async () => {
    const { status, body, headers } = await create({ extra: { a: 1 }, pxe_enabled: 'False', physical_network: 'p' });
    expect(status).toBe(201);
    expect(headers['location']).toBe(`http://localhost:80/v1/ports/${body.uuid}`);
    expect(body).toMatchObject({ address: '52:54:00:aa:bb:cc', pxe_enabled: false, portgroup_uuid: null });
    const url = `/v1/ports/${body.uuid}`;
    const patched = await api.call('PATCH', url, [{ op: 'replace', path: '/extra/a', value: 2 }]);
    expect(patched.body.extra).toEqual({ a: 2 });
    expect((await api.call('GET', `${url}?fields=extra`)).body).toEqual({ extra: { a: 2 }, links: body.links });
    expect((await api.call('DELETE', url)).status).toBe(204);
    expect((await api.call('GET', url)).status).toBe(404);
  });

  it('are listed by node and by address', async () => {
    await create();
    const count = async (url: string) => (await api.call('GET', url)).body.ports.length;
    expect(await count('/v1/ports?address=52:54:00:AA:BB:CC')).toBe(1);
    expect(await count('/v1/ports?address=52:54:00:00:00:00')).toBe(0);
    expect(await count('/v1/ports?node=bfv-1')).toBe(1);
    expect(await count('/v1/nodes/bfv-1/ports')).toBe(1);
    expect((await api.call('GET', '/v1/ports/detail')).body.ports[0]).toHaveProperty('internal_info');
    expect((await api.call('GET', '/v1/ports?node=nowhere')).status).toBe(404);
  });

  it.each([
    [{ address: '52:54:00:aa:bb' }, 'Field "address" is malformed: it must be a MAC address with colons.'],
    [{ node_uuid: nowhere }, `Node ${nowhere} could not be found.`],
    [{ local_link_connection: { port: 1 } }, 'Field "port" is not known here.'],
    [{ portgroup_uuid: nowhere }, 'Field "portgroup_uuid" must be null.'],
  ])('are refused with %j', async (fields, message) => {
    const answer = await create(fields);
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain(message);
  });
});

describe('volume targets and connectors', () => {
  const target = (fields: object = {}) =>
    api.call('POST', '/v1/volume/targets', {
      node_uuid: nodeUuid,
      volume_type: 'iscsi',
      boot_index: 0,
      volume_id: 'v-0',
      ...fields,
    });

  const storedPassword = (uuid: string) =>
    revealText(api.fake.volumeTargets.rows.get(uuid)?.properties['auth_password']);

  it('keep what connects to storage secret', async () => {
    const properties = { auth_username: 'u', auth_password: 'hunter2', MyPassWord: 'hunter2', target_lun: 1 };
    const answer = await target({ properties });
    expect(answer.text).not.toContain('hunter2');
    expect(answer.body.properties).toEqual({ ...properties, auth_password: '******', MyPassWord: '******' });
    expect(storedPassword(answer.body.uuid)).toBe('hunter2');
  });

  it('mask passwords that were stored without being marked as secret', async () => {
    const { body } = await target();
    const row = api.fake.volumeTargets.rows.get(body.uuid);
    if (row !== undefined)
      api.fake.volumeTargets.rows.set(body.uuid, { ...row, properties: { auth_password: 'hunter2' } });
    expect((await api.call('GET', `/v1/volume/targets/${body.uuid}`)).text).not.toContain('hunter2');
  });

  it('survive a patch with their secrets', async () => {
    const { body } = await target({ properties: { auth_password: 'hunter2', target_lun: 1 } });
    await api.call('PATCH', `/v1/volume/targets/${body.uuid}`, [
      { op: 'replace', path: '/properties', value: { ...body.properties, target_lun: 2 } },
    ]);
    expect(api.fake.volumeTargets.rows.get(body.uuid)?.properties['target_lun']).toBe(2);
    expect(storedPassword(body.uuid)).toBe('hunter2');
  });

  it('are listed below their node, where they cannot be changed', async () => {
    const { body } = await target();
    expect((await api.call('GET', '/v1/nodes/bfv-1/volume/targets')).body.targets).toHaveLength(1);
    expect((await api.call('GET', '/v1/volume/targets?node=bfv-1&fields=uuid')).body.targets).toHaveLength(1);
    const refused = await api.call('DELETE', `/v1/nodes/bfv-1/volume/targets/${body.uuid}`);
    expect(refused.status).toBe(400);
    expect(fault(refused).faultstring).toContain('Malformed Request URI.');
    expect(api.fake.volumeTargets.rows.size).toBe(1);
  });

  it('lead from a node to its records', async () => {
    const { body } = await api.call('GET', '/v1/nodes/bfv-1/volume');
    expect(body.targets[0].href).toBe(`http://localhost:80/v1/nodes/${nodeUuid}/volume/targets`);
    expect(Object.keys((await api.call('GET', '/v1/volume')).body)).toEqual(['links', 'connectors', 'targets']);
  });

  it.each([
    [{ boot_index: 'first' }, 'Field "boot_index" must be an integer.'],
    [{ boot_index: 1e300 }, 'Field "boot_index" must be at most 2147483647.'],
    [{ volume_id: 5 }, 'Field "volume_id" must be a string.'],
    [{ properties: 'x' }, 'Field "properties" must be an object or null.'],
    [{ node_uuid: nowhere }, `Node ${nowhere} could not be found.`],
    [{ bogus: 1 }, 'Field "bogus" is not known here.'],
  ])('are refused with %j', async (fields, message) => {
    const answer = await target(fields);
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain(message);
  });

  it('show all fields with detail, which older clients ask for too', async () => {
    await target();
    const answer = await api.call('GET', '/v1/volume/targets?detail=True', undefined, {
      'x-openstack-ironic-api-version': '1.32',
    });
    expect(answer.body.targets[0]).toHaveProperty('properties');
    expect((await api.call('GET', '/v1/volume/connectors?detail=True&fields=uuid')).status).toBe(400);
  });
});

describe('chassis', () => {
  it('are created, listed, changed and deleted', async () => {
    const { body, status } = await api.call('POST', '/v1/chassis', { description: 'rack 1' });
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(['uuid', 'created_at', 'updated_at', 'description', 'extra', 'links', 'nodes']);
    const url = `/v1/chassis/${body.uuid}`;
    expect((await api.call('GET', '/v1/chassis')).body.chassis[0].description).toBe('rack 1');
    await api.call('PATCH', url, [{ op: 'replace', path: '/description', value: 'rack 2' }]);
    expect((await api.call('GET', url)).body.description).toBe('rack 2');
    await api.call('PATCH', '/v1/nodes/bfv-1', [{ op: 'add', path: '/chassis_uuid', value: body.uuid }]);
    expect((await api.call('GET', `${url}/nodes`)).body.nodes).toHaveLength(1);
    expect((await api.call('DELETE', url)).status).toBe(204);
  });

  it('can be taken from a node from 1.25 on', async () => {
    api.fake.change(nodeUuid, { chassisUuid: nowhere });
    const remove = (version: string) =>
      api.call('PATCH', `/v1/nodes/${nodeUuid}`, [{ op: 'remove', path: '/chassis_uuid' }], {
        'x-openstack-ironic-api-version': version,
      });
    expect((await remove('1.24')).status).toBe(406);
    expect((await remove('1.25')).status).toBe(200);
  });
});

describe('drivers and conductors', () => {
  it('show interfaces from 1.30 on, each kind since its own version', async () => {
    const keys = async (version: string) =>
      Object.keys(
        (await api.call('GET', '/v1/drivers/fake-hardware', undefined, { 'x-openstack-ironic-api-version': version }))
          .body,
      );
    expect(await keys('1.13')).toEqual(['name', 'hosts', 'links']);
    expect(await keys('1.29')).toEqual(['name', 'hosts', 'links', 'properties']);
    expect(await keys('1.30')).toContain('enabled_boot_interfaces');
    expect(await keys('1.32')).not.toContain('default_storage_interface');
    expect(await keys('1.33')).toContain('default_storage_interface');
    expect(await keys('1.40')).toContain('default_bios_interface');
  });

  it.each([
    ['/v1/drivers?type=classic', 0],
    ['/v1/drivers?type=dynamic', 1],
    ['/v1/drivers?detail=True', 1],
    ['/v1/drivers?fields=name,hosts', 1],
  ])('are listed by %s', async (url, count) => {
    expect((await api.call('GET', url)).body.drivers).toHaveLength(count);
  });

  it('describe the keys of driver_info', async () => {
    expect((await api.call('GET', '/v1/drivers/fake-hardware/properties')).body).toEqual({
      B1: 'Address of the BMC. Required.',
      B2: 'Certificates to trust.',
    });
    expect((await api.call('GET', '/v1/drivers/ipmi/properties')).status).toBe(404);
  });

  it('tell which conductors are alive', async () => {
    const { body } = await api.call('GET', '/v1/conductors/fake-conductor');
    expect(body).toMatchObject({ alive: true, drivers: ['fake-hardware'] });
    expect((await api.call('GET', '/v1/conductors/other')).status).toBe(404);
  });
});

describe('resources that there are none of', () => {
  it.each([
    ['/v1/portgroups', 'portgroups'],
    ['/v1/portgroups/detail', 'portgroups'],
    ['/v1/nodes/bfv-1/portgroups', 'portgroups'],
    ['/v1/allocations', 'allocations'],
  ])('%s lists nothing', async (url, name) => {
    expect((await api.call('GET', `${url}?node=bfv-1`)).body).toEqual({ [name]: [] });
  });

  it.each([`/v1/portgroups/${nowhere}`, `/v1/allocations/${nowhere}`])('%s is not found', async (url) => {
    expect((await api.call('GET', url)).status).toBe(404);
  });
});

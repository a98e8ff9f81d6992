import { describe, expect, it } from 'vitest';
import {
  nodeFieldVersions,
  nodeFilterVersions,
  portFieldVersions,
  provisionTargetVersions,
} from '../src/microversion-table.ts';
import { fault, nodeUuid, startApi } from './api-under-test.ts';

const own = 'x-openstack-ironic-api-version';
const api = startApi();

async function callWith(version: string, url: string, method = 'GET', body?: unknown) {
  return api.call(method, url, body, { [own]: version });
}

describe('version negotiation', () => {
  it.each([
    ['the own header', { [own]: '1.30' }, '1.30'],
    ['the standard header', { [own]: '', 'openstack-api-version': 'baremetal 1.31' }, '1.31'],
    [
      'the standard header among other services',
      { [own]: '', 'openstack-api-version': 'compute 2.1, baremetal 1.32' },
      '1.32',
    ],
    ['the standard header before the own one', { [own]: '1.30', 'openstack-api-version': 'baremetal 1.33' }, '1.33'],
    ['latest', { [own]: 'Latest' }, '1.80'],
  ])('speaks the version of %s', async (_case, headers, version) => {
    const answer = await api.call('GET', '/v1/nodes', undefined, headers);
    expect(answer.headers).toMatchObject({
      [own]: version,
      'openstack-api-version': `baremetal ${version}`,
      'x-openstack-ironic-api-minimum-version': '1.1',
      'x-openstack-ironic-api-maximum-version': '1.80',
    });
  });

  it('speaks 1.1 with a client that names no version', async () => {
    const answer = await api.app.inject('/v1/nodes');
    expect(answer.headers[own]).toBe('1.1');
  });

  it.each(['1.81', '1.0', '2.1', '1', 'x', '1.2.3', '-1.1', '1.1e1'])(
    'refuses version %s with the limits',
    async (version) => {
      const answer = await callWith(version, '/v1/nodes');
      expect(answer.status).toBe(406);
      expect(answer.headers).toMatchObject({
        'x-openstack-ironic-api-minimum-version': '1.1',
        'x-openstack-ironic-api-maximum-version': '1.80',
      });
      const inner = JSON.parse(answer.body.error_message);
      expect(Object.keys(inner)).toEqual(['code', 'title', 'description']);
      expect(inner.description).toContain('The supported version range is: [1.1, 1.80].');
    },
  );

  it('shows the version and the limits with failed answers too', async () => {
    const answer = await callWith('1.44', '/v1/nodes/nowhere');
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({ [own]: '1.44', 'x-openstack-ironic-api-maximum-version': '1.80' });
    expect(answer.headers['openstack-request-id']).toMatch(/^req-[\da-f-]{36}$/);
  });

  it.each(Object.entries(nodeFieldVersions))('shows the node field %s from 1.%i on', async (field, since) => {
    const before = await callWith(`1.${since - 1}`, `/v1/nodes/${nodeUuid}`);
    const after = await callWith(`1.${since}`, `/v1/nodes/${nodeUuid}`);
    expect([field in before.body, field in after.body]).toEqual([false, true]);
  });

  it.each(Object.entries(portFieldVersions))('shows the port field %s from 1.%i on', async (field, since) => {
    const { body } = await api.call('POST', '/v1/ports', {
      node_uuid: nodeUuid,
      address: `52:54:00:00:00:${since.toString(16).padStart(2, '0')}`,
    });
    const before = await callWith(`1.${since - 1}`, `/v1/ports/${body.uuid}`);
    const after = await callWith(`1.${since}`, `/v1/ports/${body.uuid}`);
    expect([field in before.body, field in after.body]).toEqual([false, true]);
  });

  it.each(Object.entries(nodeFilterVersions))('takes the node filter %s from 1.%i on', async (filter, since) => {
    const values: Record<string, string> = { provision_state: 'active', retired: 'True', fields: 'uuid' };
    const url = `/v1/nodes?${filter}=${values[filter] ?? 'x'}`;
    expect((await callWith(`1.${since - 1}`, url)).status).toBe(406);
    expect((await callWith(`1.${since}`, url)).status).toBe(200);
  });

  it.each(Object.entries(provisionTargetVersions).filter(([, since]) => since <= 80))(
    'takes the provision target %s from 1.%i on',
    async (target, since) => {
      const url = `/v1/nodes/${nodeUuid}/states/provision`;
      const body = {
        target,
        ...(target === 'clean' ? { clean_steps: [{ interface: 'deploy', step: 'erase' }] } : {}),
        ...(target === 'rescue' ? { rescue_password: 'p' } : {}),
      };
      expect((await callWith(`1.${since - 1}`, url, 'PUT', body)).status).toBe(406);
      expect((await callWith(`1.${since}`, url, 'PUT', body)).status).toBe(202);
    },
  );

  it.each([
    ['GET', '/v1/volume', 32],
    ['GET', '/v1/volume/targets', 32],
    ['GET', '/v1/portgroups', 23],
    ['GET', `/v1/nodes/${nodeUuid}/portgroups`, 24],
    ['GET', `/v1/nodes/${nodeUuid}/vifs`, 28],
    ['GET', `/v1/nodes/${nodeUuid}/traits`, 37],
    ['GET', `/v1/nodes/${nodeUuid}/history`, 78],
    ['GET', '/v1/conductors', 49],
    ['GET', '/v1/allocations', 52],
    ['GET', `/v1/lookup?node_uuid=${nodeUuid}`, 22],
  ])('has %s %s from 1.%i on', async (method, url, since) => {
    expect((await callWith(`1.${since - 1}`, url, method)).status).toBe(404);
    expect((await callWith(`1.${since}`, url, method)).status).toBe(200);
  });

  it('refuses to set a field that the version does not have yet', async () => {
    const created = await callWith('1.49', '/v1/nodes', 'POST', { driver: 'fake-hardware', owner: 'me' });
    const patched = await callWith('1.49', `/v1/nodes/${nodeUuid}`, 'PATCH', [
      { op: 'add', path: '/owner', value: 'me' },
    ]);
    expect([created.status, patched.status]).toEqual([406, 406]);
    expect(fault(created).hint).toBe('The field "owner" needs API version 1.50 or newer.');
  });

  it('names states as older versions know them', async () => {
    api.fake.change(nodeUuid, { provisionState: 'inspect wait' });
    expect((await callWith('1.38', `/v1/nodes/${nodeUuid}`)).body.provision_state).toBe('inspecting');
    expect((await callWith('1.39', `/v1/nodes/${nodeUuid}`)).body.provision_state).toBe('inspect wait');
    api.fake.change(nodeUuid, { provisionState: 'available' });
    expect((await callWith('1.1', `/v1/nodes/${nodeUuid}`)).body.provision_state).toBeNull();
    expect((await callWith('1.2', `/v1/nodes/${nodeUuid}/states`)).body.provision_state).toBe('available');
  });

  it('knows nodes by name from 1.5 on', async () => {
    expect((await callWith('1.4', '/v1/nodes/bfv-1')).status).toBe(404);
    expect((await callWith('1.5', '/v1/nodes/bfv-1')).status).toBe(200);
  });

  it('lists in the version document only resources that the version has', async () => {
    const names = async (version: string) => Object.keys((await callWith(version, '/v1')).body);
    expect(await names('1.1')).toEqual([
      'id',
      'links',
      'media_types',
      'chassis',
      'nodes',
      'ports',
      'drivers',
      'version',
    ]);
    expect(await names('1.78')).toEqual(
      expect.arrayContaining(['portgroups', 'volume', 'lookup', 'heartbeat', 'conductors', 'allocations']),
    );
  });
});

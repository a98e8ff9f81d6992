import { revealText } from '@ironbark/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFilterVersions } from '../src/microversion-table.ts';
import { nodeSortKeys } from '../src/views/node.ts';
import { fault, send, type Answer } from './api-under-test.ts';
import { startRealApi, type RealApi } from './real-engine.ts';

let api: RealApi;
beforeAll(async () => {
  api = await startRealApi();
});
afterAll(() => api.close());

const call = (method: string, url: string, body?: unknown): Promise<Answer> => send(api.app, method, url, body);

describe('the API over the real engine', () => {
  it('takes a node through its life', async () => {
    const created = await call('POST', '/v1/nodes', {
      driver: 'fake-hardware',
      name: 'life',
      driver_info: { redfish_password: 'hunter2' },
    });
    expect(created.status, created.text).toBe(201);
    const states: string[] = [];
    for (const target of ['manage', 'provide', 'active', 'rebuild', 'deleted']) {
      const answer = await call('PUT', '/v1/nodes/life/states/provision', { target });
      expect(answer.status, answer.text).toBe(202);
      const during = await call('GET', '/v1/nodes/life');
      await api.engine.idle();
      const after = await call('GET', '/v1/nodes/life/states');
      // The client's --wait relies on a target as long as the node is on its way.
      expect(during.body.target_provision_state ?? after.body.provision_state).toBe(after.body.provision_state);
      states.push(after.body.provision_state);
    }
    expect(states).toEqual(['manageable', 'available', 'active', 'active', 'available']);
    const { body } = await call('GET', '/ironbark/v1/nodes/life/operations');
    expect(body.operations.map(({ verb, state }: Record<string, string>) => `${verb}: ${state}`)).toContain(
      'deploy: succeeded',
    );
    expect((await call('GET', '/ironbark/v1/nodes/life/plan')).body.steps.length).toBeGreaterThan(0);
    expect(revealText((await api.engine.nodes.get('life')).driverInfo['redfish_password'])).toBe('hunter2');
    expect((await call('DELETE', '/v1/nodes/life')).status).toBe(204);
  });

  it('keeps secrets through a patch of what was shown', async () => {
    const { body } = await call('POST', '/v1/nodes', { driver: 'fake-hardware', driver_info: { password: 'hunter2' } });
    const value = { ...body.driver_info, address: 'a' };
    await call('PATCH', `/v1/nodes/${body.uuid}`, [{ op: 'replace', path: '/driver_info', value }]);
    const { driverInfo } = await api.engine.nodes.get(body.uuid);
    expect([driverInfo['address'], revealText(driverInfo['password'])]).toEqual(['a', 'hunter2']);
  });

  it.each(Object.keys(nodeSortKeys))('pages through nodes sorted by %s', async (key) => {
    const names = ['s-1', 's-2', 's-3'];
    await Promise.all(
      names.map((name) => call('POST', '/v1/nodes', { driver: 'fake-hardware', name, owner: 'sorting' })),
    );
    const seen: string[] = [];
    let url: string | undefined = `/v1/nodes?owner=sorting&limit=1&fields=name&sort_key=${key}&sort_dir=desc`;
    while (url !== undefined) {
      const page: Answer = await call('GET', url);
      expect(page.status, page.text).toBe(200);
      seen.push(...page.body.nodes.map(({ name }: { name: string }) => name));
      url = page.body.next?.replace('http://localhost:80', '');
    }
    expect(seen.toSorted()).toEqual(names);
  });

  it.each([...Object.keys(nodeFilterVersions), 'associated', 'maintenance', 'instance_uuid', 'chassis_uuid'])(
    'understands the node filter %s',
    async (filter) => {
      const values: Record<string, string> = {
        fields: 'uuid',
        provision_state: 'active',
        retired: 'True',
        associated: 'True',
        maintenance: 'True',
        instance_uuid: '00000000-0000-4000-8000-000000000000',
        chassis_uuid: '00000000-0000-4000-8000-000000000000',
        driver: 'none',
        conductor: 'none',
      };
      const answer = await call('GET', `/v1/nodes?limit=1&${filter}=${values[filter] ?? 'none'}`);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body.nodes).toHaveLength(filter === 'fields' ? 1 : 0);
    },
  );

  it.each([
    ['/v1/ports', { address: '52:54:00:00:00:01' }, 'address'],
    ['/v1/volume/connectors', { type: 'iqn', connector_id: 'iqn.2017-08.org.example:a' }, 'extra'],
    ['/v1/volume/targets', { volume_type: 'iscsi', boot_index: 0, volume_id: 'v' }, 'extra'],
  ])('creates, refuses a second, and deletes one of %s', async (url, fields, field) => {
    const node = await call('POST', '/v1/nodes', { driver: 'fake-hardware' });
    const body = { node_uuid: node.body.uuid, ...fields };
    const first = await call('POST', url, body);
    expect(first.status, first.text).toBe(201);
    const second = await call('POST', url, body);
    expect([second.status, fault(second).code]).toEqual([409, 'DUPLICATE']);
    await call('PUT', `/v1/nodes/${node.body.uuid}/states/power`, { target: 'power off' });
    await api.engine.idle();
    const value = first.body[field];
    const patched = await call('PATCH', `${url}/${first.body.uuid}`, [{ op: 'replace', path: `/${field}`, value }]);
    expect(patched.status, patched.text).toBe(200);
    expect((await call('DELETE', `${url}/${first.body.uuid}`)).status).toBe(204);
    expect((await call('GET', `${url}/${first.body.uuid}`)).status).toBe(404);
  });

  it('says in the words that clients know that a node is locked', async () => {
    const { body } = await call('POST', '/v1/nodes', {
      driver: 'fake-hardware',
      driver_info: { fake_delay_ms: 60_000 },
    });
    await call('PUT', `/v1/nodes/${body.uuid}/states/power`, { target: 'power on' });
    const answer = await call('PATCH', `/v1/nodes/${body.uuid}`, [{ op: 'add', path: '/extra/a', value: 1 }]);
    expect(answer.status).toBe(409);
    expect(fault(answer).faultstring).toBe(
      `Node ${body.uuid} is locked by host c-1, please retry after the current operation is completed.`,
    );
  });

  it('answers 400 where a request names what there is not', async () => {
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const requests: [string, string, unknown][] = [
      ['POST', '/v1/nodes', { driver: 'ipmi' }],
      ['POST', '/v1/nodes', { driver: 'fake-hardware', chassis_uuid: nowhere }],
      ['POST', '/v1/ports', { node_uuid: nowhere, address: '52:54:00:00:00:09' }],
      ['POST', '/v1/volume/connectors', { node_uuid: nowhere, type: 'iqn', connector_id: 'x' }],
    ];
    for (const [method, url, body] of requests) expect((await call(method, url, body)).status).toBe(400);
  });
});

import { Secret } from '@ironbark/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { fault, headerAuth, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = startApi({ auth: headerAuth() });
  await api.fake.ports.create({ nodeUuid, address: '52:54:00:00:00:01' });
  api.fake.change(nodeUuid, { driverInternalInfo: { agent_secret_token: Secret.of('agent-token') } });
});

describe('lookup', () => {
  it.each([
    'addresses=00:00:00:00:00:00,52:54:00:00:00:01',
    'addresses=52-bogus,52:54:00:00:00:01',
    `node_uuid=${nodeUuid}`,
    `node_uuid=${nodeUuid}&addresses=`,
  ])('finds the node by %s and shows the token once', async (query) => {
    const first = await api.call('GET', `/v1/lookup?${query}`);
    expect(first.status, first.text).toBe(200);
    expect(Object.keys(first.body.node)).toEqual([
      'uuid',
      'properties',
      'instance_info',
      'driver_internal_info',
      'links',
    ]);
    expect(first.body.node.driver_internal_info).toEqual({ agent_secret_token: '******' });
    expect(first.body.config).toMatchObject({
      heartbeat_timeout: 300,
      agent_token: 'agent-token',
      agent_token_required: true,
    });
    api.fake.agentTokenIsNew = false;
    const second = await api.call('GET', `/v1/lookup?${query}`);
    expect(second.body.config.agent_token).toBe('******');
    expect(second.text).not.toContain('agent-token');
  });

  it.each([
    ['', 400],
    ['addresses=bogus', 400],
    ['addresses=52:54:00:00:00:99', 404],
    ['node_uuid=bogus', 404],
  ])('answers ?%s with %i', async (query, status) => {
    expect((await api.call('GET', `/v1/lookup?${query}`)).status).toBe(status);
  });
});

describe('heartbeat', () => {
  const beat = (body: object, ident = nodeUuid, version = '1.78') =>
    api.call('POST', `/v1/heartbeat/${ident}`, body, { 'x-openstack-ironic-api-version': version });

  it('hands over what the agent says', async () => {
    const answer = await beat({
      callback_url: 'https://192.0.2.1:9999',
      agent_version: '9.1',
      agent_token: 't',
      agent_verify_ca: null,
      agent_status: 'end',
    });
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect(api.fake.calls).toEqual([
      [
        'heartbeat',
        nodeUuid,
        { callbackUrl: 'https://192.0.2.1:9999', agentVersion: '9.1', agentToken: 't', agentStatus: 'end' },
      ],
    ]);
  });

  it('knows the node by name too', async () => {
    expect((await beat({ callback_url: 'https://x' }, 'bfv-1')).status).toBe(202);
  });

  it.each([
    [{}, '1.78', 'lacks the required field "callback_url"'],
    [{ callback_url: 'https://x', agent_token: 't' }, '1.61', 'Field "agent_token" not recognised'],
    [{ callback_url: 'https://x', bogus: 1 }, '1.78', 'Field "bogus" is not known here'],
  ])('refuses %j with %s', async (body, version, message) => {
    const answer = await beat(body, nodeUuid, version);
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain(message);
  });
});

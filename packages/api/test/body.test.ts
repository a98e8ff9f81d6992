import { revealText } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { fault, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

const json = { 'content-type': 'application/json' };

function createTarget(api: ApiUnderTest, properties: string) {
  const rest = `"node_uuid":"${nodeUuid}","volume_type":"iscsi","boot_index":0,"volume_id":"v"`;
  return api.call('POST', '/v1/volume/targets', `{${rest},"properties":${properties}}`, json);
}

describe('a request body', () => {
  it('keeps every digit of a password that the client has sent as a number', async () => {
    const api = startApi();
    const { body } = await createTarget(api, '{"auth_password":12345678901234567890,"target_lun":1}');
    const { properties } = await api.fake.asEngine().volumeTargets.get(body.uuid);
    expect(revealText(properties['auth_password'])).toBe('12345678901234567890');
    expect(properties['target_lun']).toBe(1);
  });

  it.each(['12345678901234567890', '1e400', '-98765432109876543210'])(
    'with the number %s elsewhere is refused, naming the key',
    async (number) => {
      const answer = await createTarget(startApi(), `{"serial":${number}}`);
      expect(answer.status).toBe(400);
      expect(fault(answer).faultstring).toContain('"serial"');
    },
  );

  it.each([
    ['deep nesting', '['.repeat(4_000_000)],
    ['millions of parts', `[${'{},'.repeat(2_000_000)}{}]`],
  ])('with %s is refused before it is parsed', async (_what, configdrive) => {
    const api = startApi();
    const payload = `{"target":"active","configdrive":${configdrive}}`;
    const answer = await api.call('PUT', `/v1/nodes/${nodeUuid}/states/provision`, payload, json);
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain('too many parts');
  });

  it('of many megabytes is taken when it is one text', async () => {
    const api = startApi();
    const payload = `{"target":"active","configdrive":"${'QUJD'.repeat(1_000_000)}"}`;
    expect((await api.call('PUT', `/v1/nodes/${nodeUuid}/states/provision`, payload, json)).status).toBe(202);
  });
});

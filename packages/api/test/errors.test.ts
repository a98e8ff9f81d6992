import { IronbarkError, Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { fault, nodeUuid, startApi } from './api-under-test.ts';

describe('failed answers', () => {
  it('hold a string with JSON in it, with the code and the hint beside what old clients read', async () => {
    const api = startApi();
    api.fake.failure = new IronbarkError('NODE_LOCKED', 'Node x is locked by host y.', { hint: 'Wait.' });
    const answer = await api.call('PUT', `/v1/nodes/${nodeUuid}/states/power`, { target: 'power on' });
    expect(answer.status).toBe(409);
    expect(fault(answer)).toEqual({
      faultcode: 'Client',
      faultstring: 'Node x is locked by host y. Wait.',
      debuginfo: null,
      code: 'NODE_LOCKED',
      hint: 'Wait.',
    });
  });

  it('tell of a failed machine, as a fault of the server', async () => {
    const api = startApi();
    api.fake.failure = new IronbarkError('BMC_UNREACHABLE', 'The BMC at 192.0.2.1 does not answer.');
    const answer = await api.call('GET', `/v1/nodes/${nodeUuid}/management/boot_device`);
    expect(answer.status).toBe(500);
    expect(fault(answer)).toMatchObject({ faultcode: 'Server', faultstring: 'The BMC at 192.0.2.1 does not answer.' });
  });

  it('hide what went wrong inside, and log it under the request id', async () => {
    const logged: [object, string][] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (facts: object, message: string) => void logged.push([facts, message]),
      child: () => log,
    };
    const api = startApi({ log });
    const cause = new Error('SELECT secret FROM table');
    api.fake.failure = cause;
    const answer = await api.call('GET', `/v1/nodes/${nodeUuid}/management/boot_device`);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('SELECT');
    expect(logged).toEqual([
      [expect.objectContaining({ err: cause, requestId: answer.headers['openstack-request-id'] }), 'A request failed'],
    ]);
  });

  it.each([
    ['GET', '/v1/nothing', 404],
    ['GET', '/nothing', 404],
    ['GET', '/ironbark/v1/nothing', 404],
    ['GET', '/v1/nodes/bfv-1/nothing/at/all', 404],
    ['GET', '/v1/nodes/%E0%A4%A', 400],
    ['GET', `/v1/nodes/${'x'.repeat(600)}`, 404],
    ['PUT', '/v1/nodes', 405],
    ['PATCH', '/v1/nodes/bfv-1/states', 405],
    ['POST', '/v1/conductors/', 405],
    ['DELETE', '/', 405],
    ['POST', `/v1/nodes/${nodeUuid}/volume/targets`, 400],
    ['GET', `/v1/nodes/${nodeUuid}/volume/targets/${nodeUuid}`, 400],
    ['GET', '/v1/nodes?bogus=1', 400],
    ['GET', '/v1/nodes/not%20a%20name', 400],
    ['GET', '/v1/ports/not-a-uuid', 404],
  ])('answer %s %s with %i in the usual form', async (method, url, status) => {
    const answer = await startApi().call(method, url);
    expect(answer.status, answer.text).toBe(status);
    expect(fault(answer)).toMatchObject({ faultcode: 'Client', faultstring: expect.any(String), debuginfo: null });
    expect(answer.headers).toMatchObject({ 'x-openstack-ironic-api-maximum-version': '1.80' });
  });

  it('say with 405 which methods there are', async () => {
    const answer = await startApi().call('PUT', `/v1/nodes/${nodeUuid}`);
    expect(answer.headers['allow']).toBe('GET, HEAD, PATCH, DELETE');
  });

  it.each([
    ['an unknown media type', 'text/plain', 'hello', 415],
    ['a form', 'application/x-www-form-urlencoded', 'a=b', 415],
    ['broken JSON', 'application/json', '{"driver": "hunter2', 400],
    ['a poisoned prototype', 'application/json', '{"driver": "x", "extra": {"__proto__": {"a": 1}}}', 400],
    ['deep nesting', 'application/json', '['.repeat(100) + ']'.repeat(100), 400],
    ['no object', 'application/json', '[]', 400],
    ['null', 'application/json', 'null', 400],
    ['nothing', 'application/json', '', 400],
  ])('refuse a body that is %s', async (_case, type, payload, status) => {
    const answer = await startApi().call('POST', '/v1/nodes', payload, { 'content-type': type });
    expect(answer.status, answer.text).toBe(status);
    expect(fault(answer).faultcode).toBe('Client');
    expect(answer.text).not.toContain('hunter2');
  });

  it('accept bodies up to 1 MiB, and config drives up to 96', async () => {
    const api = startApi();
    const big = 'A'.repeat(2 * 1024 * 1024);
    const node = await api.call('POST', '/v1/nodes', { driver: 'fake-hardware', extra: { big } });
    expect(node.status).toBe(413);
    expect(fault(node).code).toBe('PAYLOAD_TOO_LARGE');
    const url = `/v1/nodes/${nodeUuid}/states/provision`;
    const deploy = await api.call('PUT', url, { target: 'active', configdrive: big });
    expect(deploy.status).toBe(202);
    const [, , request] = api.fake.calls.at(-1) as [string, string, { configdrive: Secret }];
    expect(request.configdrive.reveal()).toBe(big);
  });

  it.each([
    [{ driver: 1 }, 'Field "driver" must be a string.'],
    [{}, 'The request body lacks the required field "driver".'],
    [{ driver: 'fake-hardware', colour: 'red' }, 'Field "colour" is not known here. Known fields: '],
    [{ driver: 'fake-hardware', driver_info: [] }, 'Field "driver_info" must be an object or null.'],
    [{ driver: 'fake-hardware', protected: 'maybe' }, 'Field "protected" must be true or false.'],
    [{ driver: 'fake-hardware', uuid: 'x' }, 'Field "uuid" is malformed: it must be a UUID.'],
    [
      { driver: 'fake-hardware', raid_interface: 'agent' },
      'The raid interface "agent" is not available. Available: no-raid.',
    ],
  ])('name the field of %j and what is allowed', async (body, message) => {
    const answer = await startApi().call('POST', '/v1/nodes', body);
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toContain(message);
  });
});

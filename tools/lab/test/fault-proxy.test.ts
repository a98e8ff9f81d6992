import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callName, FaultProxy, type ProxyFault } from '../src/openstack/index.ts';

const volume = '11111111-2222-4333-8444-555555555555';

/** What the service has acted on. */
let served: string[];
let proxy: FaultProxy;
let stack: AsyncDisposableStack;

beforeEach(async () => {
  served = [];
  stack = new AsyncDisposableStack();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    served.push(`${request.method} ${request.url} ${body}`);
    response.writeHead(202, { 'x-openstack-request-id': 'req-1' }).end('{"done": true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => void server.close());
  proxy = await FaultProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`);
  stack.defer(async () => proxy.stop());
});

afterEach(async () => stack.disposeAsync());

/** @returns status and body of the answer. */
async function reserve(): Promise<string> {
  const body = JSON.stringify({ 'os-reserve': null });
  const response = await fetch(`${proxy.url}/volumes/${volume}/action`, { method: 'POST', body });
  return `${response.status} ${await response.text()}`;
}

test('a call without a rule passes with everything that it carries', async () => {
  const response = await fetch(`${proxy.url}/volumes/${volume}`, { method: 'PUT', body: 'content' });

  expect([response.status, response.headers.get('x-openstack-request-id')]).toEqual([202, 'req-1']);
  expect(await response.text()).toBe('{"done": true}');
  expect(served).toEqual([`PUT /v3/volumes/${volume} content`]);
  expect(proxy.calls).toMatchObject([{ name: 'PUT volumes/{id}', nth: 1 }]);
});

describe('a fault', () => {
  test.each<[string, ProxyFault, string, number]>([
    ['before the service has acted', { kind: 'status', status: 503, moment: 'before' }, '503 {"computeFault"', 0],
    ['after the service has acted', { kind: 'status', status: 500, moment: 'after' }, '500 {"computeFault"', 1],
    ['of the connection, before', { kind: 'drop', moment: 'before' }, 'fetch failed', 0],
    ['of the connection, after', { kind: 'drop', moment: 'after' }, 'fetch failed', 1],
    ['that garbles the answer', { kind: 'garble' }, '202 {"volume": <garbled>', 1],
  ])('%s, hits one call', async (_what, fault, answer, acted) => {
    proxy.inject({ call: 'os-reserve', fault });

    expect(await reserve().catch(String)).toContain(answer);
    expect(served).toHaveLength(acted);
    expect(proxy.pendingRules).toEqual([]);
    expect(await reserve()).toBe('202 {"done": true}');
  });

  test('hits the call that it is for, and no other', async () => {
    proxy.inject({ call: 'os-reserve', nth: 2, fault: { kind: 'status', status: 503, moment: 'before' } });
    await fetch(`${proxy.url}/volumes/${volume}`);

    const answers = [await reserve(), await reserve(), await reserve()];
    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['202', '503', '202']);
  });

  test('that truncates the answer lets a part of it through', async () => {
    proxy.inject({ call: 'os-reserve', fault: { kind: 'truncate' } });

    await expect(reserve()).rejects.toThrow('terminated');
    expect(served).toHaveLength(1);
    expect(await reserve()).toBe('202 {"done": true}');
  });

  test('that delays a call lets it through also when the client has given up', async () => {
    const { promise: until, resolve } = Promise.withResolvers<void>();
    proxy.inject({ call: 'os-reserve', fault: { kind: 'delay', until } });
    const client = new AbortController();
    proxy.onCall = async (_call, moment) => {
      if (moment === 'before') client.abort(new Error('the client has given up'));
    };
    const body = JSON.stringify({ 'os-reserve': null });
    const call = fetch(`${proxy.url}/volumes/${volume}/action`, { method: 'POST', body, signal: client.signal });

    await expect(call).rejects.toThrow('the client has given up');
    expect(served).toEqual([]);
    resolve();
    await proxy.idle();
    expect(served).toHaveLength(1);
  });
});

test('the hook is waited for, before the service acts and before the client hears of it', async () => {
  const seen: unknown[] = [];
  proxy.onCall = async ({ name }, moment) => {
    await sleep(5);
    seen.push([name, moment, served.length]);
  };
  await reserve();

  expect(seen).toEqual([
    ['os-reserve', 'before', 0],
    ['os-reserve', 'after', 1],
  ]);
});

test('a service that is down is down behind the proxy too', async () => {
  const gone = await FaultProxy.start('http://127.0.0.1:1/v3');
  stack.defer(async () => gone.stop());

  await expect(fetch(gone.url)).rejects.toThrow('fetch failed');
});

test.each([
  ['GET', '/', '', 'GET versions'],
  ['GET', '/v3/', '', 'GET versions'],
  ['GET', `/v3/${'ab'.repeat(16)}/volumes/detail?all_tenants=1`, '', 'GET volumes/detail'],
  ['GET', `/v3/attachments/${volume}`, '', 'GET attachments/{id}'],
  ['POST', `/v3/attachments/${volume}/action`, '{"os-complete": null}', 'os-complete'],
  ['GET', `/v2/images/${volume}/file`, '', 'GET images/{id}/file'],
  ['DELETE', `/v3/volumes/${volume}/metadata/ironic_node_${volume}`, '', 'DELETE volumes/{id}/metadata/{key}'],
])('%s %s %s is called %s', (method, path, body, name) => {
  expect(callName(method, path, body)).toBe(name);
});

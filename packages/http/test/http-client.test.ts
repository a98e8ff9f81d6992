import { once } from 'node:events';
import { copyFile, mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FakeService, certificatePath, type Answer } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import type { HttpOutcome } from '../src/index.ts';
import { createClient, get, whenBroken, whenBusy } from './support/client.ts';

const path = '/thing';

/** A service whose answers differ each time; the last one stays. */
async function startWith(...answers: readonly Answer[]): Promise<FakeService & { readonly url: string }> {
  const service = await FakeService.start({
    [`GET ${path}`]: (_request, nth) => answers[nth - 1] ?? answers.at(-1) ?? {},
  });
  return Object.assign(service, { url: `${service.address}${path}` });
}

describe('an answer', () => {
  it('is parsed', async () => {
    await using service = await startWith({ status: 202, json: { a: 1 }, headers: { 'x-id': 'x' } });
    await using client = createClient().client;
    const reply = await client.request(get(service.url));
    expect([reply.status, reply.body, reply.headers.get('x-id')]).toEqual([202, { a: 1 }, 'x']);
  });

  it('may be empty', async () => {
    await using service = await startWith({ status: 204 });
    await using client = createClient().client;
    expect(await client.request(get(service.url))).toMatchObject({ status: 204, body: undefined });
  });

  it('with an error status may be a page of any form', async () => {
    await using service = await startWith({ status: 502, text: '<html>' });
    await using client = createClient().client;
    expect(await client.request(get(service.url))).toMatchObject({ status: 502, body: undefined });
  });

  it('of another form is refused', async () => {
    await using service = await startWith({ text: '<html>', headers: { 'content-type': 'text/html; charset=utf-8' } });
    await using client = createClient().client;
    const error = { code: 'TEST_MALFORMED', message: 'an answer that is not JSON (text/html)' };
    await expect(client.request(get(service.url))).rejects.toMatchObject(error);
  });

  it('has a bounded size', async () => {
    await using service = await startWith({ json: 'x'.repeat(20_000) });
    await using client = createClient().client;
    await expect(client.request(get(service.url))).rejects.toThrow('larger than any resource');
  });

  it.each([
    ['fits', 9_000, 'is read'],
    ['is too large', 1_000_000, 'larger than any resource'],
  ])('that is compressed and %s when it is unpacked: %i bytes', async (_title, length, outcome) => {
    const content = gzipSync(JSON.stringify('x'.repeat(length)));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const server = createServer((_request, response) => response.writeHead(200, headers).end(content));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using client = createClient().client;
    const { port } = server.address() as AddressInfo;
    const call = client.request(get(`http://127.0.0.1:${port}/`));
    expect(content.length).toBeLessThan(9_000);
    expect(await call.then(({ body }) => String(body).length === length && 'is read', String)).toContain(outcome);
    server.close();
  });
});

describe('repetition', () => {
  it('is up to the request', async () => {
    await using service = await startWith({ status: 503 }, { json: {} });
    await using client = createClient().client;
    expect((await client.request(get(service.url))).status).toBe(503);
    expect((await client.request({ ...get(service.url), isWorthRepeating: whenBusy })).status).toBe(200);
  });

  it('is bounded, and waits twice as long each time', async () => {
    await using service = await startWith({ status: 503 });
    const { client, sayings } = createClient();
    const reply = await client.request({ ...get(service.url), isWorthRepeating: whenBusy });
    expect([reply.status, service.requests.length, sayings.waitsMs]).toEqual([503, 3, [1, 2]]);
    await client.close();
  });

  it.each([
    ['as many seconds as Retry-After says', '7', 7_000],
    ['no longer than 30 s', '600', 30_000],
    ['not at all when Retry-After is 0', '0', 0],
  ])('waits %s', async (_title, retryAfter, waitMs) => {
    await using service = await startWith({ status: 503, headers: { 'retry-after': retryAfter } });
    const waiting = new AbortController();
    const { client, sayings } = createClient({}, () => waiting.abort());
    const call = client.request({ ...get(service.url), signal: waiting.signal, isWorthRepeating: whenBusy });
    await expect(call).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    expect(sayings.waitsMs).toEqual([waitMs]);
    await client.close();
  });
});

describe('an answer to a repeated request', () => {
  it.each([
    ['an answer was lost', { fault: 'reset' }, true],
    ['the service failed', { status: 503 }, true],
    ['the service refused it', { status: 429 }, false],
  ] satisfies readonly (readonly [string, Answer, boolean])[])(
    'tells whether it may have arrived before, when %s',
    async (_title, first, mayHaveArrivedBefore) => {
      await using service = await startWith(first, { status: 404 });
      await using client = createClient().client;
      const isFirst = (outcome: HttpOutcome) => 'fault' in outcome || outcome.reply.status !== 404;
      const reply = await client.request({ ...get(service.url), isWorthRepeating: isFirst });
      expect(reply).toMatchObject({ status: 404, mayHaveArrivedBefore });
    },
  );
});

describe('connections', () => {
  it('are kept for the next request', async () => {
    await using service = await startWith({ json: {} });
    await using client = createClient({ maxConnections: 1 }).client;
    await client.request(get(service.url));
    await client.request(get(service.url));
    expect(service.requests.map(({ nthOfConnection }) => nthOfConnection)).toEqual([1, 2]);
  });

  it('are not kept when there is no time for which they may be idle', async () => {
    await using service = await startWith({ json: {} });
    await using client = createClient({ maxConnections: 1, idleConnectionMs: 0 }).client;
    await client.request(get(service.url));
    await client.request(get(service.url));
    expect(service.requests.map(({ nthOfConnection }) => nthOfConnection)).toEqual([1, 1]);
  });

  it('that the service closes while a request is on its way are replaced by a new one', async () => {
    await using service = await FakeService.start({
      [`GET ${path}`]: ({ nthOfConnection }) => (nthOfConnection > 1 ? { fault: 'reset' } : { json: {} }),
    });
    await using client = createClient({ maxConnections: 1 }).client;
    const request = { ...get(`${service.address}${path}`), isWorthRepeating: whenBroken };
    await client.request(request);
    expect((await client.request(request)).status).toBe(200);
    expect(service.requests.map(({ nthOfConnection }) => nthOfConnection)).toEqual([1, 2, 1]);
  });
});

describe('a request without an answer', () => {
  it('has certainly not arrived when the connection was refused', async () => {
    const { client, sayings } = createClient();
    const { url } = await (async () => {
      await using gone = await startWith({});
      return { url: gone.url };
    })();
    await expect(client.request(get(url))).rejects.toThrow('the connection was refused');
    expect(sayings.faults).toMatchObject([{ mayHaveArrived: false, retryable: true, timedOut: false }]);
  });

  it('has certainly not arrived when the certificate is not trusted', async () => {
    await using service = await FakeService.start({}, { tls: true });
    const { client, sayings } = createClient();
    await expect(client.request(get(service.address))).rejects.toThrow('not signed by a trusted CA');
    expect(sayings.faults).toMatchObject([{ mayHaveArrived: false, retryable: false }]);
  });

  it.each([
    ['the connection is closed instead', { fault: 'reset' }, { retryable: true, timedOut: false }],
    ['the answer breaks off', { fault: 'truncated', json: {} }, { retryable: true, timedOut: false }],
    ['the JSON breaks off', { text: '{"a":' }, { retryable: true, timedOut: false }],
    ['it does not come in time', { fault: 'none' }, { retryable: true, timedOut: true }],
  ] satisfies readonly (readonly [string, Answer, object])[])(
    'may have arrived when %s',
    async (_title, answer, facts) => {
      await using service = await startWith(answer);
      const patience = { connectTimeoutMs: 3000, requestTimeoutMs: 200, attempts: 1, retryIntervalMs: 1 };
      const { client, sayings } = createClient({ patience });
      await expect(client.request(get(service.url))).rejects.toMatchObject({ code: 'TEST_UNREACHABLE' });
      expect(sayings.faults).toMatchObject([{ mayHaveArrived: true, ...facts }]);
      await client.close();
    },
  );

  it('may have arrived when it did so at an earlier attempt', async () => {
    const service = await startWith({ fault: 'reset' });
    const closing = Promise.withResolvers<void>();
    const { client, sayings } = createClient({}, () => closing.resolve(service[Symbol.asyncDispose]()));
    const call = client.request({ ...get(service.url), isWorthRepeating: whenBroken });
    await expect(call).rejects.toThrow('the connection was refused');
    expect(sayings.faults).toMatchObject([{ mayHaveArrived: true }]);
    await closing.promise;
  });

  it('ends with the reason of the abort', async () => {
    await using service = await startWith({ fault: 'none' });
    await using client = createClient().client;
    const controller = new AbortController();
    const call = client.request({ ...get(service.url), signal: controller.signal });
    await expect.poll(() => service.requests.length).toBe(1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
  });
});

describe('a redirection', () => {
  it('is followed on the same host, with the headers', async () => {
    await using service = await FakeService.start({
      'GET /a': () => ({ status: 302, headers: { location: '/b' } }),
      'GET /b': ({ headers }) => ({ json: headers['x-auth-token'] }),
    });
    await using client = createClient().client;
    const request = { ...get(`${service.address}/a`), headers: { 'x-auth-token': 'token' } };
    expect((await client.request(request)).body).toBe('token');
  });

  it('to another host is refused, and nothing goes there', async () => {
    await using other = await startWith({ json: {} });
    await using service = await startWith({ status: 307, headers: { location: other.url } });
    await using client = createClient().client;
    const message = `a redirection to ${other.url}`;
    await expect(client.request(get(service.url))).rejects.toMatchObject({ code: 'TEST_MALFORMED', message });
    expect(other.requests).toEqual([]);
  });

  it('of a change is refused', async () => {
    await using service = await FakeService.start({ 'POST /a': () => ({ status: 307, headers: { location: '/b' } }) });
    await using client = createClient().client;
    const call = client.request({ ...get(`${service.address}/a`), method: 'POST', body: {} });
    await expect(call).rejects.toMatchObject({ code: 'TEST_MALFORMED' });
  });

  it('in a circle ends', async () => {
    await using service = await startWith({ status: 302, headers: { location: path } });
    await using client = createClient().client;
    await expect(client.request(get(service.url))).rejects.toMatchObject({ code: 'TEST_MALFORMED' });
  });
});

describe('the CA file', () => {
  it('vouches for the service', async () => {
    await using service = await FakeService.start({ 'GET /': () => ({ json: {} }) }, { tls: true });
    await using client = createClient({ verifyCa: certificatePath }).client;
    expect((await client.request(get(`${service.address}/`))).status).toBe(200);
  });

  it.each([
    ['cannot be read', '/nowhere/ca.pem'],
    ['holds no certificate', import.meta.filename],
  ])('is named when it %s', async (problem, verifyCa) => {
    await using client = createClient({ verifyCa }).client;
    const error = { code: 'TEST_CA', message: `${verifyCa} ${problem}` };
    await expect(client.request(get('https://127.0.0.1:1'))).rejects.toMatchObject(error);
  });

  it('is looked for again when it was missing', async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'ironbark-http-'));
    await using service = await FakeService.start({ 'GET /': () => ({ json: {} }) }, { tls: true });
    const verifyCa = join(directory.path, 'ca.pem');
    await using client = createClient({ verifyCa }).client;
    await expect(client.request(get(`${service.address}/`))).rejects.toMatchObject({ code: 'TEST_CA' });
    await copyFile(certificatePath, verifyCa);
    expect((await client.request(get(`${service.address}/`))).status).toBe(200);
  });
});

import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { IronbarkError, silentLogger, type Logger } from '@ironbark/core';
import { certificatePath, FakeService, type Answer } from '@ironbark/lab/fake-service';
import { connectionFault } from '@ironbark/http';
import { unreachableFault } from '../src/faults.ts';
import { createClient, password, refusal, sessionHandlers, soon } from './support/fake-bmc.ts';

const thing = '/redfish/v1/Thing';
const anonymous = { credentials: null };

/** A service whose thing answers differently each time; the last answer stays. */
async function startWith(method: string, ...answers: readonly Answer[]): Promise<FakeService> {
  return FakeService.start({
    [`${method} ${thing}`]: (_request, nth) => answers[nth - 1] ?? answers.at(-1) ?? {},
    ...(method === 'PATCH' ? { [`GET ${thing}`]: () => ({ json: {} }) } : {}),
  });
}

describe('repetition', () => {
  it.each([
    ['the service is not ready (503)', { status: 503 }],
    ['the service fails (500)', { status: 500 }],
    ['the connection is closed without an answer', { fault: 'reset' }],
    ['the body breaks off', { fault: 'truncated', json: { half: 'of it' } }],
    ['the JSON breaks off', { text: '{"half":' }],
  ] satisfies readonly (readonly [string, Answer])[])('reads again when %s', async (_title, fault) => {
    await using service = await startWith('GET', fault, { json: { Name: 'thing' } });
    await using client = createClient(service, anonymous);
    expect((await client.get(thing, soon())).body).toEqual({ Name: 'thing' });
  });

  it('is bounded', async () => {
    await using service = await startWith('GET', { status: 503 });
    await using client = createClient(service, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({ code: 'BMC_FAILURE', retryable: true });
    expect(service.count('GET', thing)).toBe(3);
  });

  it('waits twice as long each time', async () => {
    const waits: unknown[] = [];
    const log: Logger = { ...silentLogger, debug: (facts) => void waits.push((facts as { waitMs?: unknown }).waitMs) };
    await using service = await startWith('GET', { status: 503 });
    await using client = createClient(service, anonymous, { log });
    await expect(client.get(thing, soon())).rejects.toMatchObject({ code: 'BMC_FAILURE' });
    expect(waits).toEqual([1, 2]);
  });

  it('waits as long as Retry-After says, and stops waiting when it is aborted', async () => {
    await using service = await startWith('GET', { status: 503, headers: { 'retry-after': '600' } });
    await using client = createClient(service, anonymous);
    const reason = new IronbarkError('OPERATION_TIMEOUT', 'Out of time.');
    const controller = new AbortController();
    const call = client.get(thing, controller.signal);
    await expect.poll(() => service.count('GET', thing)).toBe(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(service.count('GET', thing)).toBe(1);
  });

  it.each([
    ['the service is not ready (503)', { status: 503 }],
    ['the connection is closed without an answer', { fault: 'reset' }],
  ] satisfies readonly (readonly [string, Answer])[])('does not happen to an action when %s', async (_title, fault) => {
    await using service = await startWith('POST', fault, { status: 204 });
    await using client = createClient(service, anonymous);
    await expect(client.post(thing, {}, soon())).rejects.toMatchObject({ retryable: true });
    expect(service.count('POST', thing)).toBe(1);
  });

  it.each([
    ['the service is not ready (503)', { status: 503 }],
    ['its answer is lost', { fault: 'reset' }],
  ] satisfies readonly (readonly [string, Answer])[])('happens to a change when %s', async (_title, fault) => {
    await using service = await startWith('PATCH', fault, { status: 204 });
    await using client = createClient(service, anonymous);
    await client.patch(await client.get(thing, soon()), {}, soon());
    expect(service.count('PATCH', thing)).toBe(2);
  });

  it('does not happen when the service does not answer in time', async () => {
    await using service = await startWith('GET', { fault: 'none' });
    await using client = createClient(service, anonymous, { patience: { requestTimeoutMs: 100 } });
    const error = { code: 'BMC_UNREACHABLE', message: expect.stringContaining('did not answer in time') };
    await expect(client.get(thing, soon())).rejects.toMatchObject(error);
    expect(service.count('GET', thing)).toBe(1);
  });
});

describe('abort', () => {
  it('ends a request that is under way with its reason', async () => {
    await using service = await startWith('GET', { fault: 'none' });
    await using client = createClient(service, anonymous);
    const reason = new IronbarkError('OPERATION_ABORTED', 'Enough.');
    const controller = new AbortController();
    const call = client.get(thing, controller.signal);
    await expect.poll(() => service.requests.length).toBe(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('sends nothing when it came before', async () => {
    await using service = await startWith('POST', { status: 204 });
    await using client = createClient(service);
    await expect(client.post(thing, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    expect(service.requests).toEqual([]);
  });
});

describe('errors', () => {
  it('say that the connection was refused, by whom and what was tried', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await using client = createClient({ address: `http://127.0.0.1:${port}` }, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: `BMC http://127.0.0.1:${port}: GET ${thing} failed: the connection was refused.`,
      hint: expect.stringContaining('redfish_address'),
    });
  });

  it('say that the name does not resolve', () => {
    const cause = new TypeError('fetch failed', {
      cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }),
    });
    const context = { address: 'https://bmc.example', method: 'GET', path: thing, keyPrefix: 'ilo_' };
    expect(unreachableFault(connectionFault(cause), context)).toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: `BMC https://bmc.example: GET ${thing} failed: the host name does not resolve.`,
      hint: expect.stringContaining('ilo_address'),
    });
  });

  it('say that something else than HTTP is on the port', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using client = createClient(
      { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      anonymous,
    );
    const error = { code: 'BMC_UNREACHABLE', message: expect.stringContaining('the answer is not HTTP') };
    await expect(client.get(thing, soon())).rejects.toMatchObject(error);
    server.close();
  });

  it('say that an answer is too large', async () => {
    await using service = await startWith('GET', { json: { text: 'x'.repeat(9 * 1024 * 1024) } });
    await using client = createClient(service, anonymous);
    const error = { code: 'BMC_UNREACHABLE', message: expect.stringContaining('larger than any resource') };
    await expect(client.get(thing, soon())).rejects.toMatchObject(error);
  });

  it('hold the messages of the BMC on one line', async () => {
    const answer = refusal(400, 'GeneralError', 'The fan\n is \u001B[31mmissing.');
    await using service = await startWith('GET', answer);
    await using client = createClient(service, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_FAILURE',
      message: `BMC ${service.address}: GET ${thing} failed with HTTP 400: The fan is [31mmissing.`,
      details: { status: 400, messageIds: ['GeneralError'] },
    });
  });

  it('hold the id and the arguments of a message that has no text', async () => {
    const info = { MessageId: 'Vendor.1.0.Broken', MessageArgs: ['fan', '3'] };
    await using service = await startWith('GET', { status: 400, json: { error: { '@Message.ExtendedInfo': info } } });
    await using client = createClient(service, anonymous);
    const message = expect.stringContaining('Vendor.1.0.Broken (fan, 3).');
    await expect(client.get(thing, soon())).rejects.toMatchObject({ message });
  });

  it.each([
    [401, 'BMC_UNAUTHORIZED'],
    [403, 'BMC_UNAUTHORIZED'],
    [404, 'BMC_UNSUPPORTED'],
    [405, 'BMC_UNSUPPORTED'],
    [501, 'BMC_UNSUPPORTED'],
    [409, 'BMC_FAILURE'],
    [418, 'BMC_FAILURE'],
  ])('have for HTTP %d the code %s', async (status, code) => {
    await using service = await startWith('POST', { status });
    await using client = createClient(service, anonymous);
    await expect(client.post(thing, {}, soon())).rejects.toMatchObject({ code });
  });

  it('tell an impossible request from a failed one by the id of the message', async () => {
    await using service = await startWith('POST', refusal(400, 'ActionNotSupported', 'Not supported.'));
    await using client = createClient(service, anonymous);
    await expect(client.post(thing, {}, soon())).rejects.toMatchObject({ code: 'BMC_UNSUPPORTED' });
  });

  it('never show the password, even when the BMC repeats it', async () => {
    const handlers = sessionHandlers();
    const login = 'POST /redfish/v1/SessionService/Sessions';
    const answer = refusal(400, 'PropertyValueFormatError', `The value '${password}' for Password is wrong.`);
    await using service = await FakeService.start({ ...handlers, [login]: () => answer });
    await using client = createClient(service, { authType: 'session' });
    await expect(client.get(thing, soon())).rejects.toMatchObject({ message: expect.stringContaining("'******'") });
  });

  it('do not show what makes an image address secret', async () => {
    const text = 'Cannot load https://user:pw@store.example/image.iso?temp_url_sig=abcdef now.';
    await using service = await startWith('POST', refusal(400, 'Failed', text));
    await using client = createClient(service, anonymous);
    const message = expect.stringMatching(/Cannot load https:\/\/store\.example\/image\.iso\?… now\.$/);
    await expect(client.post(thing, {}, soon())).rejects.toMatchObject({ message });
  });

  it('say when something else than a Redfish service answers', async () => {
    await using service = await startWith('GET', { text: '<html>', headers: { 'content-type': 'text/html' } });
    await using client = createClient(service, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      message: expect.stringContaining('not JSON (text/html)'),
    });
    expect(service.count('GET', thing)).toBe(1);
  });
});

describe('redirection', () => {
  it('is followed on the same host', async () => {
    await using service = await FakeService.start({
      [`GET ${thing}`]: () => ({ status: 308, headers: { location: `${thing}/` } }),
      [`GET ${thing}/`]: () => ({ json: { Name: 'thing' } }),
    });
    await using client = createClient(service, anonymous);
    expect((await client.get(thing, soon())).body).toEqual({ Name: 'thing' });
  });

  it('to another host is refused, and the token does not go there', async () => {
    await using other = await FakeService.start({ [`GET ${thing}`]: () => ({ json: {} }) });
    await using service = await FakeService.start({
      ...sessionHandlers(),
      [`GET ${thing}`]: () => ({ status: 307, headers: { location: `${other.address}${thing}` } }),
    });
    await using client = createClient(service);
    const message = expect.stringContaining(`a redirection to ${other.address}`);
    await expect(client.get(thing, soon())).rejects.toMatchObject({ code: 'BMC_UNSUPPORTED', message });
    expect(other.requests).toEqual([]);
  });
});

describe('TLS', () => {
  const handlers = { [`GET ${thing}`]: () => ({ json: {} }) };

  it('refuses a certificate of an unknown CA by default and says what to do', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    await using client = createClient(service, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: expect.stringContaining('not signed by a trusted CA'),
      hint: expect.stringContaining('redfish_verify_ca'),
      retryable: false,
    });
    expect(service.requests).toEqual([]);
  });

  it('accepts a certificate that the CA file vouches for', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    await using client = createClient(service, { ...anonymous, verifyCa: certificatePath });
    expect((await client.get(thing, soon())).path).toBe(thing);
  });

  it('refuses a certificate for another name', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    const address = `https://localhost:${service.port}`;
    await using client = createClient({ address }, { ...anonymous, verifyCa: certificatePath });
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: expect.stringContaining('for another name'),
    });
  });

  it('accepts any certificate when the check is switched off', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    await using client = createClient(service, { ...anonymous, verifyCa: false });
    expect((await client.get(thing, soon())).path).toBe(thing);
  });

  it('names a CA file that cannot be read', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    await using client = createClient(service, { ...anonymous, verifyCa: '/nowhere/ca.pem' });
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('/nowhere/ca.pem'),
    });
  });

  it('names a CA file that holds no certificate', async () => {
    await using service = await FakeService.start(handlers, { tls: true });
    await using client = createClient(service, { ...anonymous, verifyCa: import.meta.filename });
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('holds no certificate'),
    });
  });

  it('says when the port speaks no TLS', async () => {
    await using service = await FakeService.start(handlers);
    await using client = createClient({ address: `https://127.0.0.1:${service.port}` }, anonymous);
    await expect(client.get(thing, soon())).rejects.toMatchObject({
      code: 'BMC_UNREACHABLE',
      message: expect.stringContaining('TLS handshake failed'),
    });
  });
});

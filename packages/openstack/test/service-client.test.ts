import { Secret } from '@ironbark/core';
import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { ServiceClient, type ServiceRequest } from '../src/index.ts';
import {
  accepts,
  untilIdle,
  createSession,
  keystone,
  passwordAuth,
  refusal,
  soon,
  tokens,
  type TokenShape,
} from './support/cloud.ts';

const path = '/v3/thing';

interface Bench extends AsyncDisposable {
  readonly service: FakeService;
  call(request?: Partial<ServiceRequest>): ReturnType<ServiceClient['request']>;
}

/** Keystone and a thing at one server, and a client of both. */
async function start(
  thing: Handler | readonly Answer[],
  { userToken, ...shape }: TokenShape & { readonly userToken?: string } = {},
): Promise<Bench> {
  const handler: Handler = typeof thing === 'function' ? thing : (_request, nth) => thing[nth - 1] ?? { json: {} };
  const methods = ['GET', 'POST', 'PUT', 'DELETE'].map((method) => [`${method} ${path}`, handler]);
  const service = await FakeService.start({ [tokens]: keystone(shape), ...Object.fromEntries(methods) });
  const session = createSession(passwordAuth(service));
  const user = userToken === undefined ? {} : { userToken: Secret.of(userToken) };
  const client = new ServiceClient(session, { name: 'Cinder', address: 'settings.cinder.endpoint_override', ...user });
  return {
    service,
    call: (request = {}) =>
      client.request({ method: 'GET', url: `${service.address}${path}`, signal: soon(), ...request }),
    async [Symbol.asyncDispose]() {
      await session.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const asked = ({ service }: Bench) => service.requests.filter((request) => request.path === path);
const headersOf = (bench: Bench, name: string) => asked(bench).map(({ headers }) => headers[name]);

describe('tokens of a request', () => {
  it('are ours twice for a user with the role service', async () => {
    await using bench = await start([]);
    await bench.call();
    expect(headersOf(bench, 'x-auth-token')).toEqual(['token-1']);
    expect(headersOf(bench, 'x-service-token')).toEqual(['token-1']);
  });

  it('are ours once without that role: services refuse such a service token', async () => {
    await using bench = await start([], { roles: ['admin'] });
    await bench.call();
    expect(headersOf(bench, 'x-auth-token')).toEqual(['token-1']);
    expect(headersOf(bench, 'x-service-token')).toEqual([undefined]);
  });

  it("are the user's, and ours as the service's, in the name of a user", async () => {
    await using bench = await start([], { userToken: 'user-token' });
    await bench.call();
    expect(headersOf(bench, 'x-auth-token')).toEqual(['user-token']);
    expect(headersOf(bench, 'x-service-token')).toEqual(['token-1']);
  });

  it('are renewed, once for requests at the same time, when they are refused', async () => {
    await using bench = await start(accepts('token-2'));
    await Promise.all([bench.call({ method: 'POST' }), bench.call({ method: 'POST' })]);
    expect(bench.service.count('POST', '/v3/auth/tokens')).toBe(2);
    expect(new Set(headersOf(bench, 'x-auth-token'))).toEqual(new Set(['token-1', 'token-2']));
    expect(asked(bench)).toHaveLength(4);
  });

  it('are renewed once only', async () => {
    await using bench = await start(accepts());
    await expect(bench.call()).rejects.toMatchObject({
      code: 'OPENSTACK_UNAUTHORIZED',
      httpStatus: 401,
      hint: expect.stringContaining('uses the Keystone of settings.cinder'),
    });
    expect(headersOf(bench, 'x-auth-token')).toEqual(['token-1', 'token-2']);
  });
});

describe('repetition', () => {
  const once = { method: 'POST' } as const;
  const repeatable = { method: 'PUT', repeatable: true } as const;

  it.each([
    ['GET after 503', {}, { status: 503 }],
    ['GET after 500', {}, { status: 500 }],
    ['GET after a lost answer', {}, { fault: 'reset' }],
    ['GET after an answer that breaks off', {}, { fault: 'truncated', json: {} }],
    ['change that is safe to repeat after 502', repeatable, { status: 502 }],
    ['change that is safe to repeat after a lost answer', repeatable, { fault: 'reset' }],
    ['any change after 429', once, { status: 429 }],
    ['any change after 413 with a time to wait', once, limit('1')],
  ] satisfies readonly (readonly [string, object, Answer])[])('happens to a %s', async (_title, request, answer) => {
    await using bench = await start([answer]);
    await bench.call(request);
    expect(asked(bench)).toHaveLength(2);
  });

  it.each([
    ['change after 503', once, { status: 503 }],
    ['change after a lost answer', once, { fault: 'reset' }],
    ['change after 413 of a quota', once, limit('0')],
    ['change that is safe to repeat after 413 of a quota', repeatable, limit('0')],
    ['change that is safe to repeat after 500, which comes again', repeatable, { status: 500 }],
    ['GET after 404', {}, { status: 404 }],
    ['GET after 501', {}, { status: 501 }],
  ] satisfies readonly (readonly [string, object, Answer])[])(
    'does not happen to a %s',
    async (_title, request, answer) => {
      await using bench = await start([answer]);
      await expect(bench.call(request)).rejects.toMatchObject({ name: 'ServiceError' });
      expect(asked(bench)).toHaveLength(1);
    },
  );

  it('is never needed because of a connection that the service was closing: a change has one of its own', async () => {
    await using bench = await start(({ nthOfConnection }) => (nthOfConnection > 1 ? { fault: 'reset' } : { json: {} }));
    for (let nth = 1; nth <= 3; nth += 1) {
      await bench.call(once);
      await untilIdle();
    }
    expect(asked(bench).map(({ nthOfConnection }) => nthOfConnection)).toEqual([1, 1, 1]);
  });
});

describe('an error', () => {
  it.each([
    [400, 'OPENSTACK_REJECTED', false],
    [401, 'OPENSTACK_UNAUTHORIZED', false],
    [403, 'OPENSTACK_FORBIDDEN', false],
    [404, 'OPENSTACK_NOT_FOUND', false],
    [406, 'OPENSTACK_REJECTED', false],
    [409, 'OPENSTACK_CONFLICT', false],
    [413, 'OPENSTACK_OVER_LIMIT', false],
    [500, 'OPENSTACK_FAILURE', true],
    [503, 'OPENSTACK_FAILURE', true],
  ])('of status %d is %s, and the service may have acted: %s', async (httpStatus, code, mayHaveActed) => {
    await using bench = await start(() => refusal(httpStatus, 'error', 'No.'));
    await expect(bench.call({ method: 'POST' })).rejects.toMatchObject({ code, httpStatus, mayHaveActed });
  });

  it.each([
    ['404 with a page', { status: 404, text: '<h1>default backend</h1>' }],
    ['410 without a body', { status: 410 }],
    ['404 with JSON of a gateway', { status: 404, json: { message: 'no Route matched with those values' } }],
  ])('of status %s, which the service does not give, is not that something is gone', async (_title, answer) => {
    await using bench = await start([answer]);
    await expect(bench.call({ method: 'DELETE' })).rejects.toMatchObject({
      code: 'OPENSTACK_MALFORMED',
      message: expect.stringContaining(`failed with HTTP ${answer.status}`),
      hint: expect.stringMatching(/no answer of Cinder.*settings\.cinder\.endpoint_override.*proxy/),
      httpStatus: null,
      retryable: true,
    });
  });

  it.each([
    ['fails', { status: 500 }],
    ['is lost', { fault: 'reset' }],
    ['is no JSON', { text: 'x', headers: { 'content-type': 'text/plain' } }],
  ] satisfies readonly (readonly [string, Answer])[])(
    'of a GET that %s says that nothing was done',
    async (_title, answer) => {
      await using bench = await start(() => answer);
      await expect(bench.call()).rejects.toMatchObject({ name: 'ServiceError', mayHaveActed: false });
    },
  );

  it('of a lost answer says that the service may have acted', async () => {
    await using bench = await start([{ fault: 'reset' }]);
    await expect(bench.call({ method: 'POST' })).rejects.toMatchObject({
      code: 'OPENSTACK_UNREACHABLE',
      httpStatus: null,
      mayHaveActed: true,
    });
  });

  it.each([
    ['of a lost answer', [{ fault: 'reset' }, refusal(404, 'itemNotFound', 'No.')]],
    [
      'of a lost answer, and the token expired',
      [{ fault: 'reset' }, { status: 401 }, refusal(404, 'itemNotFound', 'No.')],
    ],
  ] satisfies readonly (readonly [string, readonly Answer[]])[])(
    'of a request that was made again because %s says so too',
    async (_title, answers) => {
      await using bench = await start(answers);
      await expect(bench.call({ method: 'PUT', repeatable: true })).rejects.toMatchObject({
        httpStatus: 404,
        mayHaveActed: true,
      });
    },
  );

  it('of the login that is needed to make a request again, whose answer was lost, says so too', async () => {
    await using bench = await start([{ fault: 'reset' }, { status: 401 }], { logins: 1 });
    await expect(bench.call({ method: 'PUT', repeatable: true })).rejects.toMatchObject({
      message: expect.stringContaining('refuses the credentials'),
      mayHaveActed: true,
    });
  });

  it('holds what the service says, the action, the request id, and no traceback', async () => {
    const text = 'Invalid volume: no.\nTraceback (most recent call last):\n  File "x.py"';
    await using bench = await start([refusal(500, 'computeFault', text, { 'x-openstack-request-id': 'req-1' })]);
    const url = `${bench.service.address}/v3/volumes/1/action`;
    await expect(bench.call({ method: 'POST', body: { 'os-reserve': null } })).rejects.toMatchObject({
      message: `Cinder ${bench.service.address}: POST ${path} failed with HTTP 500: Invalid volume: no.`,
      hint: "Look into Cinder's log for req-1.",
      details: { service: 'Cinder', method: 'POST', httpStatus: 500, requestId: 'req-1' },
    });
    await expect(bench.call({ method: 'POST', url, body: { 'os-reserve': null } })).rejects.toMatchObject({
      message: `Cinder ${bench.service.address}: POST /v3/volumes/1/action (os-reserve) failed with HTTP 404.`,
    });
  });

  it.each([
    ['of Glance', { message: 'No image.<br />', code: '404 Not Found' }, ': No image.'],
    ['with a page', '<html>', '.'],
    ['with something else', { error: null, list: [{ message: 'x' }] }, '.'],
  ])('reads the body %s', async (_title, body, end) => {
    const answer = typeof body === 'string' ? { status: 404, text: body } : { status: 404, json: body };
    await using bench = await start([answer]);
    await expect(bench.call()).rejects.toMatchObject({ message: expect.stringMatching(new RegExp(`HTTP 404${end}$`)) });
  });

  it.each([
    ['our token', 'token-1 is no good'],
    ["the user's token", 'user-token is no good'],
    ['CHAP credentials', `{'auth_username': 'u', 'auth_password': 'chap-secret-1'} failed`],
    ['CHAP credentials in JSON', `{"auth_password": "chap-secret-1"}`],
    ['CHAP credentials of a command', 'iscsiadm --value password=chap-secret-1 failed'],
  ])('never shows %s', async (_title, text) => {
    await using bench = await start([refusal(400, 'badRequest', text)], { userToken: 'user-token' });
    const error = await bench.call().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining('******') });
    expect(JSON.stringify(error)).not.toMatch(/token-1|user-token|chap-secret-1/);
  });

  it.each([
    ['a quota', 413, { retryable: false, hint: expect.stringContaining('quota') }],
    ['a limited rate', 429, { retryable: true, hint: expect.stringContaining('rate of requests') }],
  ])('tells %s', async (_title, status, facts) => {
    await using bench = await start(() => refusal(status, 'overLimit', 'No.'));
    await expect(bench.call()).rejects.toMatchObject({ code: 'OPENSTACK_OVER_LIMIT', ...facts });
  });

  it('of volumes of instances names the role that is missing', async () => {
    await using bench = await start([refusal(409, 'conflictingRequest', 'ConflictNovaUsingAttachment: Detach …')]);
    await expect(bench.call({ method: 'POST' })).rejects.toMatchObject({
      hint: 'Give the user of settings.cinder the role "service".',
    });
  });
});

function limit(retryAfter: string): Answer {
  return refusal(413, 'overLimit', 'Too much.', { 'retry-after': retryAfter });
}

import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { explain, IronbarkError } from '@ironbark/core';
import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it, vi } from 'vitest';
import { stopTheClock } from './support/clock.ts';
import {
  createSession,
  endpoint,
  keystone,
  password,
  passwordAuth,
  refusal,
  soon,
  tokens,
  untilIdle,
} from './support/cloud.ts';

/** Keystone gives its answers one after the other, and tokens after the last one. */
function afterwards(...answers: readonly Answer[]): Handler {
  const give = keystone();
  return (request, nth) => answers[nth - 1] ?? give(request, nth);
}

async function start(handler: Handler = keystone()): Promise<FakeService> {
  return FakeService.start({ [tokens]: handler });
}

const count = (service: FakeService) => service.count('POST', '/v3/auth/tokens');

describe('a token', () => {
  it('is shared by callers at the same time and afterwards', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    const [first, second] = await Promise.all([session.token(soon()), session.token(soon())]);
    expect(first.value.reveal()).toBe('token-1');
    expect(second).toBe(first);
    expect(await session.token(soon())).toBe(first);
    expect(count(service)).toBe(1);
  });

  it('is renewed a minute before it expires', async () => {
    const pass = stopTheClock();
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    const first = await session.token(soon());
    pass(3600 - 61);
    expect(await session.token(soon())).toBe(first);
    pass(2);
    expect((await session.token(soon())).value.reveal()).toBe('token-2');
  });

  it('that lives shortly is renewed when half of its life is over', async () => {
    const pass = stopTheClock();
    await using service = await start(keystone({ lifetime: 10 }));
    await using session = createSession(passwordAuth(service));
    const first = await session.token(soon());
    pass(4);
    expect(await session.token(soon())).toBe(first);
    pass(2);
    expect(await session.token(soon())).not.toBe(first);
  });

  it("is good for as long as Keystone says, whatever Keystone's clock shows", async () => {
    await using service = await start(keystone({ issuedAt: new Date('2001-01-01T00:00:00Z') }));
    await using session = createSession(passwordAuth(service));
    await session.token(soon());
    await session.token(soon());
    expect(count(service)).toBe(1);
  });

  it('that a service refused is replaced once for all callers', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    const refused = await session.token(soon());
    const renewed = await Promise.all([1, 2, 3].map(() => session.renew(refused, soon())));
    expect(renewed.map(({ value }) => value.reveal())).toEqual(['token-2', 'token-2', 'token-2']);
    expect(await session.renew(refused, soon())).toBe(renewed[0]);
    expect(count(service)).toBe(2);
  });

  it('is waited for by the others when the caller that began the login gives up', async () => {
    const gate = Promise.withResolvers<void>();
    const give = keystone();
    await using service = await start(async (request, nth) => {
      await gate.promise;
      return give(request, nth);
    });
    await using session = createSession(passwordAuth(service));
    const impatient = new AbortController();
    const first = session.token(impatient.signal);
    const second = session.token(soon());
    await expect.poll(() => count(service)).toBe(1);
    const reason = new IronbarkError('OPERATION_TIMEOUT', 'Out of time.');
    impatient.abort(reason);
    await expect(first).rejects.toBe(reason);
    gate.resolve();
    await expect(second).resolves.toMatchObject({ roles: ['admin', 'service'] });
  });

  it('is not asked for when the caller gave up before', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    await expect(session.token(AbortSignal.abort())).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    expect(count(service)).toBe(0);
  });

  it('of a session without Keystone is user and project, as noauth of Cinder reads it', async () => {
    await using session = createSession({ kind: 'none', userId: 'admin', projectId: 'p1' });
    const token = await session.token(soon());
    expect([token.value.reveal(), token.projectId]).toEqual(['admin:p1', 'p1']);
    expect(await session.renew(token, soon())).toBe(token);
  });
});

describe('credentials that Keystone refuses', () => {
  const wrong = 'wrong-password';

  it('are an error that names Keystone and the settings, and not the password', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service, wrong));
    const error = await session.token(soon()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'OPENSTACK_UNAUTHORIZED',
      message: `Keystone ${service.address}/v3 refuses the credentials of settings.cinder.`,
      hint: expect.stringContaining('a role in that scope'),
      httpStatus: 401,
      retryable: false,
    });
    expect(JSON.stringify(error)).not.toContain(wrong);
  });

  it('are an error that tells when they are tried again, and how to be sooner', async () => {
    stopTheClock();
    vi.setSystemTime('2026-11-20T23:59:30.123Z');
    await using service = await start();
    await using session = createSession(passwordAuth(service, wrong));
    const hint = expect.stringMatching(/asked again at 2026-11-21T00:00:30Z.*restart the conductor/);
    await expect(session.token(soon())).rejects.toMatchObject({ hint });
    vi.setSystemTime('2026-11-21T00:00:20Z');
    await expect(session.token(soon())).rejects.toMatchObject({ hint });
  });

  it('are not tried again for a minute, then two', async () => {
    const pass = stopTheClock();
    await using service = await start();
    await using session = createSession(passwordAuth(service, wrong));
    const attempt = async () => {
      await expect(session.token(soon())).rejects.toMatchObject({ code: 'OPENSTACK_UNAUTHORIZED' });
      return count(service);
    };
    expect([await attempt(), await attempt()]).toEqual([1, 1]);
    pass(61);
    expect([await attempt(), await attempt()]).toEqual([2, 2]);
    pass(61);
    expect(await attempt()).toBe(2);
    pass(60);
    expect(await attempt()).toBe(3);
  });

  it('work again when Keystone takes them after that time', async () => {
    const pass = stopTheClock();
    await using service = await start(afterwards(refusal(401, 'error', 'No.')));
    await using session = createSession(passwordAuth(service));
    await expect(session.token(soon())).rejects.toMatchObject({ code: 'OPENSTACK_UNAUTHORIZED' });
    pass(61);
    expect((await session.token(soon())).value.reveal()).toBe('token-2');
  });
});

describe('a login', () => {
  it.each([
    ['Keystone is not ready (503)', { status: 503 }],
    ['Keystone fails (500)', { status: 500 }],
    ['the connection is closed without an answer', { fault: 'reset' }],
    ['Keystone limits the rate', { status: 429, headers: { 'retry-after': '0' } }],
  ] satisfies readonly (readonly [string, Answer])[])('is repeated when %s', async (_title, answer) => {
    await using service = await start(afterwards(answer));
    await using session = createSession(passwordAuth(service));
    expect((await session.token(soon())).value.reveal()).toBe('token-2');
  });

  it('is repeated a bounded number of times', async () => {
    await using service = await start(() => ({ status: 503 }));
    await using session = createSession(passwordAuth(service));
    await expect(session.token(soon())).rejects.toMatchObject({
      code: 'OPENSTACK_FAILURE',
      httpStatus: 503,
      retryable: true,
      mayHaveActed: false,
    });
    expect(count(service)).toBe(3);
  });

  it('uses a connection of its own: Keystone may be closing the one before', async () => {
    await using service = await start(keystone({ lifetime: -1 }));
    await using session = createSession(passwordAuth(service));
    for (let nth = 1; nth <= 3; nth += 1) {
      await session.token(soon());
      await untilIdle();
    }
    expect(service.requests.map(({ nthOfConnection }) => nthOfConnection)).toEqual([1, 1, 1]);
  });

  it('says that Keystone cannot be reached, at which address and where that is set', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await using session = createSession(passwordAuth({ address: `http://127.0.0.1:${port}` }));
    await expect(session.token(soon())).rejects.toMatchObject({
      code: 'OPENSTACK_UNREACHABLE',
      message: `Keystone http://127.0.0.1:${port}: POST /v3/auth/tokens failed: the connection was refused.`,
      hint: expect.stringContaining('Check settings.cinder.auth_url'),
      httpStatus: null,
      mayHaveActed: false,
      retryable: true,
    });
  });

  it('says when something else than Keystone answers', async () => {
    await using service = await start(() => ({ status: 201, json: { token: {} } }));
    await using session = createSession(passwordAuth(service));
    await expect(session.token(soon())).rejects.toMatchObject({
      code: 'OPENSTACK_MALFORMED',
      hint: expect.stringContaining('settings.cinder.auth_url'),
    });
  });

  it('never shows the password, even when Keystone repeats it', async () => {
    const quote = `'${password}' is not of type 'object'\nOn instance['password']: '${password}'`;
    await using service = await start(() => refusal(400, 'error', quote));
    await using session = createSession(passwordAuth(service));
    const error = await session.token(soon()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'OPENSTACK_REJECTED',
      message: expect.stringContaining("'******' is not of type"),
    });
    expect(JSON.stringify(error)).not.toContain(password);
  });

  it('ends when the session is closed', async () => {
    const asked = Promise.withResolvers<void>();
    await using service = await start(() => {
      asked.resolve();
      return { fault: 'none' };
    });
    const session = createSession(passwordAuth(service));
    await Promise.all([
      expect(session.token(soon())).rejects.toMatchObject({ code: 'OPERATION_ABORTED' }),
      asked.promise.then(() => session.close()),
    ]);
  });
});

describe('the endpoint of a service', () => {
  it('is from the catalogue, under an older name of its type too', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    const url = await session.endpointOf('block-storage', endpoint, soon());
    expect(url).toBe(`${service.address}/v3/8a204937b794476d818f02e5a276acaf`);
  });

  it('may be set instead, with the project in it', async () => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    const override = 'https://cinder.example/v3/%(project_id)s/';
    const url = await session.endpointOf('block-storage', { ...endpoint, override }, soon());
    expect(url).toBe('https://cinder.example/v3/8a204937b794476d818f02e5a276acaf');
  });

  it.each([
    ['in another region', 'block-storage', { region: 'Elsewhere' }, 'in region Elsewhere', 'volumev3 public RegionOne'],
    ['with another interface', 'block-storage', { interfaces: ['admin'] }, '(admin)', 'volumev3 public RegionOne'],
    ['of another type', 'baremetal', {}, 'no baremetal endpoint', 'The catalogue has: volumev3.'],
  ] as const)('%s is missing, and the error lists what there is', async (_title, type, options, message, offer) => {
    await using service = await start();
    await using session = createSession(passwordAuth(service));
    await expect(session.endpointOf(type, { ...endpoint, ...options }, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_NO_ENDPOINT',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(offer),
    });
  });

  it('gets the project where the catalogue leaves a place for it', async () => {
    await using service = await start(keystone({ endpoint: 'http://cinder.example/v3/%(project_id)s/' }));
    await using session = createSession(passwordAuth(service));
    const url = await session.endpointOf('block-storage', endpoint, soon());
    expect(url).toBe('http://cinder.example/v3/8a204937b794476d818f02e5a276acaf');
  });

  it.each([
    'http://[bad/v3',
    '/v3',
    'cinder:8776',
    'ftp://cinder/v3',
    'http://user:secret-pw@cinder/v3',
    'http://c/v3?x',
  ])('is missing when the catalogue has %s', async (url) => {
    await using service = await start(keystone({ endpoint: url }));
    await using session = createSession(passwordAuth(service));
    const error = await session.endpointOf('block-storage', endpoint, soon()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'OPENSTACK_NO_ENDPOINT',
      hint: expect.stringContaining('volumev3 public RegionOne (no plain http URL)'),
    });
    expect(explain(error)).not.toContain('secret-pw');
  });

  it('has to be set without Keystone', async () => {
    await using session = createSession({ kind: 'none', userId: 'admin', projectId: 'admin' });
    await expect(session.endpointOf('block-storage', endpoint, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_NO_ENDPOINT',
      hint: expect.stringContaining('settings.cinder.endpoint_override'),
    });
  });
});

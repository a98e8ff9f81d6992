import { IronbarkError, Secret, silentLogger } from '@ironbark/core';
import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { createTokenValidator, Session, type TokenValidator } from '../src/index.ts';
import { stopTheClock } from './support/clock.ts';
import { createSession, keystone, passwordAuth, refusal, soon, tokens } from './support/cloud.ts';

const path = '/v3/auth/tokens?nocatalog';
const domain = { id: 'default', name: 'Default' };

interface Bench extends AsyncDisposable {
  readonly service: FakeService;
  readonly validator: TokenValidator;
  asked(): number;
}

async function start(handler: Handler, options: { readonly cacheSeconds?: number } = {}): Promise<Bench> {
  const service = await FakeService.start({ [tokens]: keystone(), [`GET ${path}`]: handler });
  const session = createSession(passwordAuth(service));
  return {
    service,
    validator: createTokenValidator(session, options),
    asked: () => service.count('GET', path),
    async [Symbol.asyncDispose]() {
      await session.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

function token(overrides: object = {}, lifetimeSeconds = 3600): Answer {
  return {
    json: {
      token: {
        user: { id: 'u1', name: 'alice', domain, password_expires_at: null },
        project: { id: 'p1', name: 'lab', domain },
        is_domain: false,
        roles: [
          { id: 'r1', name: 'member' },
          { id: 'r2', name: 'reader' },
        ],
        expires_at: new Date(Date.now() + lifetimeSeconds * 1000).toISOString(),
        issued_at: new Date().toISOString(),
        ...overrides,
      },
    },
  };
}

const secret = Secret.of('user-token');
/** What Keystone answers about a token that it does not know. */
const unknown = refusal(404, 'error', 'Could not recognize Fernet token');

describe('a token that Keystone accepts', () => {
  it('has an owner in a project', async () => {
    await using bench = await start(() => token());
    expect(await bench.validator.validate(secret, soon())).toEqual({
      user: { id: 'u1', name: 'alice', domain },
      project: { id: 'p1', name: 'lab', domain },
      domain: null,
      system: false,
      roles: ['member', 'reader'],
      expiresAt: expect.any(Date),
    });
    expect(bench.service.requests.at(-1)?.headers).toMatchObject({
      'x-auth-token': 'token-1',
      'x-subject-token': 'user-token',
    });
  });

  it.each([
    ['for the system', { project: undefined, system: { all: true } }, { project: null, domain: null, system: true }],
    ['for a domain', { project: undefined, domain }, { project: null, domain, system: false }],
    ['for nothing', { project: undefined, roles: undefined }, { project: null, system: false, roles: [] }],
  ])('may be %s', async (_title, overrides, expected) => {
    await using bench = await start(() => token(overrides));
    expect(await bench.validator.validate(secret, soon())).toMatchObject(expected);
  });
});

describe('a token that Keystone does not accept', () => {
  it('has no owner', async () => {
    await using bench = await start(() => unknown);
    expect(await bench.validator.validate(secret, soon())).toBeUndefined();
  });

  it.each(['', 'two words', 'line\nbreak', 'ä', 'x'.repeat(8193)])('is one that cannot be: %j', async (text) => {
    await using bench = await start(() => token());
    expect(await bench.validator.validate(Secret.of(text), soon())).toBeUndefined();
    expect(bench.asked()).toBe(0);
  });
});

describe('an answer', () => {
  it.each([
    ['that accepts', () => token()],
    ['that does not', () => unknown],
  ] satisfies readonly (readonly [string, Handler])[])(
    '%s is remembered for as long as set, and then asked for again',
    async (_title, handler) => {
      const pass = stopTheClock();
      await using bench = await start(handler, { cacheSeconds: 100 });
      await bench.validator.validate(secret, soon());
      pass(99);
      await bench.validator.validate(secret, soon());
      expect(bench.asked()).toBe(1);
      pass(2);
      await bench.validator.validate(secret, soon());
      expect(bench.asked()).toBe(2);
    },
  );

  it('is not remembered longer than the token is good', async () => {
    const pass = stopTheClock();
    await using bench = await start((_request, nth) => (nth === 1 ? token({}, 10) : unknown));
    await expect(bench.validator.validate(secret, soon())).resolves.toBeDefined();
    pass(11);
    await expect(bench.validator.validate(secret, soon())).resolves.toBeUndefined();
  });

  it('is not remembered at all when that is set', async () => {
    await using bench = await start(() => token(), { cacheSeconds: 0 });
    await bench.validator.validate(secret, soon());
    await bench.validator.validate(secret, soon());
    expect(bench.asked()).toBe(2);
  });

  it('about one token says nothing about another', async () => {
    await using bench = await start(({ headers }) => (headers['x-subject-token'] === 'user-token' ? token() : unknown));
    await expect(bench.validator.validate(secret, soon())).resolves.toBeDefined();
    await expect(bench.validator.validate(Secret.of('user-token2'), soon())).resolves.toBeUndefined();
  });

  it('is shared by callers at the same time, and not lost when one of them gives up', async () => {
    const gate = Promise.withResolvers<void>();
    await using bench = await start(async () => {
      await gate.promise;
      return token();
    });
    const impatient = new AbortController();
    const first = bench.validator.validate(secret, impatient.signal);
    const second = bench.validator.validate(secret, soon());
    await expect.poll(() => bench.asked()).toBe(1);
    const reason = new IronbarkError('OPERATION_TIMEOUT', 'Out of time.');
    impatient.abort(reason);
    await expect(first).rejects.toBe(reason);
    gate.resolve();
    await expect(second).resolves.toMatchObject({ user: { name: 'alice' } });
    expect(bench.asked()).toBe(1);
  });
});

describe('what cannot be found out', () => {
  it('is tried once more with a new token of ours when Keystone refuses the old one', async () => {
    await using bench = await start(({ headers }) =>
      headers['x-auth-token'] === 'token-2' ? token() : refusal(401, 'error', 'No.'),
    );
    await expect(bench.validator.validate(secret, soon())).resolves.toBeDefined();
    expect(bench.asked()).toBe(2);
  });

  it.each([
    ['Keystone fails', { status: 503 }, 'OPENSTACK_FAILURE'],
    ['Keystone is not there', { fault: 'reset' }, 'OPENSTACK_UNREACHABLE'],
    ['a proxy finds no Keystone', { status: 404, text: '<html>' }, 'OPENSTACK_MALFORMED'],
    ['our user may not ask', { status: 403 }, 'OPENSTACK_FORBIDDEN'],
    ['our user is refused', { status: 401 }, 'OPENSTACK_UNAUTHORIZED'],
    ['the answer is not understood', { json: { token: {} } }, 'OPENSTACK_MALFORMED'],
  ] satisfies readonly (readonly [string, Answer, string])[])(
    'is an error, and not remembered, when %s',
    async (_title, answer, code) => {
      let isMended = false;
      await using bench = await start(() => (isMended ? token() : answer));
      const error = await bench.validator.validate(secret, soon()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      expect(JSON.stringify(error)).not.toContain('user-token');
      isMended = true;
      await expect(bench.validator.validate(secret, soon())).resolves.toBeDefined();
    },
  );

  it('is that of tokens beyond the first thousand at a time, until answers come', async () => {
    const gate = Promise.withResolvers<void>();
    await using bench = await start(async () => {
      await gate.promise;
      return token();
    });
    const patient = new AbortController().signal;
    const first = Promise.allSettled(
      Array.from({ length: 1000 }, (_, nth) => bench.validator.validate(Secret.of(`token-${nth}`), patient)),
    );
    const error = { code: 'NO_FREE_WORKER', retryable: true };
    await expect(bench.validator.validate(secret, soon())).rejects.toMatchObject(error);
    const known = bench.validator.validate(Secret.of('token-0'), soon());
    gate.resolve();
    await Promise.all([first, known]);
    await expect(bench.validator.validate(secret, soon())).resolves.toBeDefined();
  });

  it('needs a Keystone', () => {
    const auth = { kind: 'none', userId: 'admin', projectId: 'admin' } as const;
    const patience = { connectTimeoutMs: 1, requestTimeoutMs: 1, attempts: 1, retryIntervalMs: 1 };
    const session = new Session({ auth, verifyCa: true, patience }, { log: silentLogger, settings: 'api.auth' });
    const error = expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'Set api.auth.auth_url.' });
    expect(() => createTokenValidator(session)).toThrow(error);
  });
});

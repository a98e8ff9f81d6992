import { Secret } from '@ironbark/core';
import { FakeService, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { createClient, password, refusal, sessionHandlers, soon, username } from './support/fake-bmc.ts';

const sessions = '/redfish/v1/SessionService/Sessions';
const thing = '/redfish/v1/Thing';
const basicHeader = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** A resource that takes only the tokens and headers of the list. */
function thingFor(...accepted: readonly string[]): Handler {
  return ({ headers }) => {
    const given = headers['x-auth-token'] ?? headers['authorization'];
    return accepted.includes(String(given)) ? { json: {} } : { status: 401 };
  };
}

describe('sessions', () => {
  it('logs in once for callers at the same time and uses the token', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: thingFor('token-1') });
    await using client = createClient(service);
    await Promise.all([1, 2, 3].map(() => client.get(thing, soon())));
    expect(service.count('POST', sessions)).toBe(1);
  });

  it('logs in again, once, when callers at the same time find the session expired', async () => {
    await using service = await FakeService.start({
      ...sessionHandlers(),
      [`GET ${thing}`]: (request, nth) => (nth === 1 ? { json: {} } : thingFor('token-2')(request, nth)),
    });
    await using client = createClient(service);
    await client.get(thing, soon());
    await Promise.all([1, 2, 3].map(() => client.get(thing, soon())));
    expect(service.count('POST', sessions)).toBe(2);
  });

  it('repeats an action after the login that its 401 asked for', async () => {
    const action: Handler = ({ headers }) => ({ status: headers['x-auth-token'] === 'token-2' ? 204 : 401 });
    await using service = await FakeService.start({ ...sessionHandlers(), [`POST ${thing}`]: action });
    await using client = createClient(service);
    await client.post(thing, {}, soon());
    expect(service.count('POST', thing)).toBe(2);
  });

  it('gives up when a fresh session is refused, too', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: () => ({ status: 401 }) });
    await using client = createClient(service);
    await expect(client.get(thing, soon())).rejects.toMatchObject({ code: 'BMC_UNAUTHORIZED' });
    expect(service.count('GET', thing)).toBe(2);
  });

  it('ends the session when it is closed', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: thingFor('token-1') });
    const client = createClient(service);
    await client.get(thing, soon());
    await client.close();
    const last = service.requests.at(-1);
    expect(last).toMatchObject({ method: 'DELETE', path: `${sessions}/1`, headers: { 'x-auth-token': 'token-1' } });
  });

  it('says which keys to check when the login is refused, and does not try basic authentication', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: thingFor(basicHeader) });
    const credentials = { username, password: Secret.of('wrong') };
    await using client = createClient(service, { credentials });
    const error = { code: 'BMC_UNAUTHORIZED', hint: expect.stringContaining('redfish_username') };
    await expect(client.get(thing, soon())).rejects.toMatchObject(error);
    expect(service.count('GET', thing)).toBe(0);
  });

  it('logs in at the usual place when even the service root wants authentication', async () => {
    const handlers = { ...sessionHandlers(), 'GET /redfish/v1/': () => ({ status: 401 }) };
    await using service = await FakeService.start({ ...handlers, [`GET ${thing}`]: thingFor('token-1') });
    await using client = createClient(service);
    await client.get(thing, soon());
    expect(service.count('POST', sessions)).toBe(1);
  });

  it('goes on for the others when the caller that began the login gives up', async () => {
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const handlers = sessionHandlers();
    await using service = await FakeService.start({
      ...handlers,
      [`POST ${sessions}`]: async (request, nth) => {
        asked.resolve();
        await gate.promise;
        return (await handlers[`POST ${sessions}`]?.(request, nth)) ?? {};
      },
      [`GET ${thing}`]: thingFor('token-1'),
    });
    await using client = createClient(service);
    const impatient = new AbortController();
    const first = client.get(thing, impatient.signal);
    const second = client.get(thing, soon());
    await asked.promise;
    impatient.abort();
    await expect(first).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    gate.resolve();
    await expect(second).resolves.toMatchObject({ path: thing });
  });
});

describe('basic authentication', () => {
  it.each([
    ['has no session service', () => ({ status: 404 })],
    ['does not allow to make sessions', () => ({ status: 405 })],
    ['gives a session without a token', () => ({ status: 201, json: {} })],
    ['has no session left', () => refusal(503, 'SessionLimitExceeded', 'The session limit was reached.')],
  ])('takes over when the BMC %s', async (_title, login) => {
    const handlers = { ...sessionHandlers(), [`POST ${sessions}`]: login };
    await using service = await FakeService.start({ ...handlers, [`GET ${thing}`]: thingFor(basicHeader) });
    await using client = createClient(service);
    await client.get(thing, soon());
    await client.get(thing, soon());
    expect(service.count('POST', sessions)).toBe(1);
  });

  it('does not take over when the session service fails', async () => {
    const handlers = { ...sessionHandlers(), [`POST ${sessions}`]: () => ({ status: 500 }) };
    await using service = await FakeService.start({ ...handlers, [`GET ${thing}`]: thingFor(basicHeader) });
    await using client = createClient(service);
    await expect(client.get(thing, soon())).rejects.toMatchObject({ code: 'BMC_FAILURE', retryable: true });
    expect(service.count('GET', thing)).toBe(0);
  });

  it('does not take over when only sessions are allowed', async () => {
    const handlers = { ...sessionHandlers(), [`POST ${sessions}`]: () => ({ status: 404 }) };
    await using service = await FakeService.start({ ...handlers, [`GET ${thing}`]: thingFor(basicHeader) });
    await using client = createClient(service, { authType: 'session' });
    const error = { code: 'BMC_UNSUPPORTED', hint: expect.stringContaining('"basic"') };
    await expect(client.get(thing, soon())).rejects.toMatchObject(error);
  });

  it('makes no session when it is asked for', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: thingFor(basicHeader) });
    await using client = createClient(service, { authType: 'basic' });
    await client.get(thing, soon());
    expect(service.requests).toHaveLength(1);
  });

  it('sends nothing without credentials', async () => {
    await using service = await FakeService.start({ ...sessionHandlers(), [`GET ${thing}`]: () => ({ json: {} }) });
    await using client = createClient(service, { credentials: null });
    await client.get(thing, soon());
    const headers = service.requests.flatMap((request) => Object.keys(request.headers));
    expect(headers).not.toContain('authorization');
    expect(headers).not.toContain('x-auth-token');
  });
});

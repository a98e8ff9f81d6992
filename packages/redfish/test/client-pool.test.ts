import { Secret, silentLogger, type Logger } from '@ironbark/core';
import { FakeService } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { RedfishClientPool, type RedfishClient, type RedfishConnection } from '../src/index.ts';
import { password, patience, sessionHandlers, soon, username } from './support/fake-bmc.ts';

const sessions = '/redfish/v1/SessionService/Sessions';

function connectionTo(
  service: Pick<FakeService, 'address'>,
  overrides: Partial<RedfishConnection> = {},
): RedfishConnection {
  const credentials = { username, password: Secret.of(password) };
  return { address: service.address, credentials, authType: 'session', verifyCa: true, ...overrides };
}

const login = async (client: RedfishClient) => client.root(soon());

describe('the pool of clients', () => {
  it('shares one session among the nodes of a BMC, and ends it at the end', async () => {
    await using service = await FakeService.start(sessionHandlers());
    const pool = new RedfishClientPool({ log: silentLogger, patience });
    await pool.use(connectionTo(service), login);
    await pool.use(connectionTo(service), login);
    expect(service.count('POST', sessions)).toBe(1);
    await pool.close();
    expect(service.count('DELETE', `${sessions}/1`)).toBe(1);
  });

  it('makes a new client when the password has changed, and ends the old session', async () => {
    await using service = await FakeService.start(sessionHandlers());
    const pool = new RedfishClientPool({ log: silentLogger, patience });
    await pool.use(connectionTo(service), login);
    const credentials = { username, password: Secret.of('new password') };
    await expect(pool.use(connectionTo(service, { credentials }), login)).rejects.toMatchObject({
      code: 'BMC_UNAUTHORIZED',
    });
    await expect.poll(() => service.count('DELETE', `${sessions}/1`)).toBe(1);
    await pool.close();
  });

  it('keeps an old client as long as somebody works with it', async () => {
    await using service = await FakeService.start(sessionHandlers());
    const pool = new RedfishClientPool({ log: silentLogger, patience });
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const work = pool.use(connectionTo(service), async (client) => {
      await client.root(soon());
      begun.resolve();
      await gate.promise;
      return client.get('/redfish/v1/', soon());
    });
    await begun.promise;
    await pool.use(connectionTo(service, { authType: 'auto' }), login);
    expect(service.count('DELETE', `${sessions}/1`)).toBe(0);
    gate.resolve();
    await expect(work).resolves.toMatchObject({ path: '/redfish/v1/' });
    expect(service.count('DELETE', `${sessions}/1`)).toBe(1);
    await pool.close();
  });

  it.each([
    ['without TLS', 'http://127.0.0.1:1', true, 1],
    ['without verification', 'https://127.0.0.1:1', false, 1],
    ['with verified TLS', 'https://127.0.0.1:1', true, 0],
  ])('warns once about a BMC %s', async (_title, address, verifyCa, count) => {
    const warnings: string[] = [];
    const log: Logger = { ...silentLogger, warn: (_facts, message) => void warnings.push(message) };
    const pool = new RedfishClientPool({ log, patience });
    const nothing = async () => {};
    await pool.use(connectionTo({ address }, { verifyCa }), nothing);
    await pool.use(connectionTo({ address }, { verifyCa, credentials: null }), nothing);
    await pool.close();
    expect(warnings).toHaveLength(count);
  });
});

import { FakeService } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { ComputerSystem } from '../src/index.ts';
import { createClient, soon, systemHandlers, systemPath } from './support/fake-bmc.ts';

const path = `${systemPath}/SecureBoot`;
const settingsPath = `${path}/Settings`;
const extra = { SecureBoot: { '@odata.id': path } };

async function withSystem<T>(service: FakeService, work: (system: ComputerSystem) => Promise<T>): Promise<T> {
  await using client = createClient(service);
  return await work(new ComputerSystem(client, systemPath));
}

describe('Secure Boot', () => {
  it.each([
    [{ SecureBootEnable: true, SecureBootCurrentBoot: 'Disabled' }, true],
    [{ SecureBootEnable: false, SecureBootCurrentBoot: 'Enabled' }, false],
    [{ SecureBootEnable: null }, null],
    [{}, null],
  ])('is what counts from the next start on: %j is %s', async (body, expected) => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      [`GET ${path}`]: () => ({ json: body }),
    });
    expect(await withSystem(service, (system) => system.secureBoot(soon()))).toBe(expected);
  });

  it('of a resource that exists only as a link is none', async () => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      [`GET ${path}`]: () => ({ status: 404 }),
    });
    expect(await withSystem(service, (system) => system.secureBoot(soon()))).toBeNull();
  });

  it('that cannot be read is an error', async () => {
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      [`GET ${path}`]: () => ({ status: 500 }),
    });
    await expect(withSystem(service, (system) => system.secureBoot(soon()))).rejects.toMatchObject({
      code: 'BMC_FAILURE',
    });
  });

  it('is set and read where the BMC keeps settings for the next start, without waiting for their task', async () => {
    const pending = { SecureBootEnable: false };
    const monitor = '/redfish/v1/TaskService/TaskMonitors/1';
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      [`GET ${path}`]: () => ({
        json: {
          SecureBootEnable: false,
          '@Redfish.Settings': { SettingsObject: { '@odata.id': settingsPath } },
        },
      }),
      [`GET ${settingsPath}`]: () => ({ json: pending }),
      [`PATCH ${settingsPath}`]: ({ body }) => {
        Object.assign(pending, body);
        return { status: 202, headers: { location: monitor } };
      },
      [`GET ${monitor}`]: () => ({ status: 202 }),
    });
    await withSystem(service, (system) => system.changeSecureBoot(true, soon()));
    expect(pending).toEqual({ SecureBootEnable: true });
    expect([service.count('PATCH', path), service.count('GET', monitor)]).toEqual([0, 0]);
    expect(await withSystem(service, (system) => system.secureBoot(soon()))).toBe(true);
  });

  it('that the BMC is slow to show is waited for', async () => {
    let looks = 0;
    await using service = await FakeService.start({
      ...systemHandlers({ boot: {}, extra }),
      [`GET ${path}`]: () => ({ json: { SecureBootEnable: (looks += 1) > 4 } }),
      [`PATCH ${path}`]: () => ({ status: 204 }),
    });
    await using client = createClient(service, {}, { patience: { settleTimeoutMs: 3000 } });
    await new ComputerSystem(client, systemPath).changeSecureBoot(true, soon());
    expect(looks).toBe(5);
  });

  it.each(['Base.1.18.ResetRequired', 'iLO.2.14.SystemResetRequired'])(
    'of which the BMC says %s is not waited for',
    async (messageId) => {
      await using service = await FakeService.start({
        ...systemHandlers({ boot: {}, extra }),
        [`GET ${path}`]: () => ({ json: { SecureBootEnable: false } }),
        [`PATCH ${path}`]: () => ({ json: { error: { '@Message.ExtendedInfo': [{ MessageId: messageId }] } } }),
      });
      await withSystem(service, (system) => system.changeSecureBoot(true, soon()));
      expect(service.count('PATCH', path)).toBe(1);
    },
  );
});

import { FakeService, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { ComputerSystem, findSystem } from '../src/index.ts';
import { createClient, sessionHandlers, soon, systemPath } from './support/fake-bmc.ts';

const resetPath = `${systemPath}/Actions/ComputerSystem.Reset`;
const uuid = '3a6f2b4e-5b0c-4a53-9d5e-0b8f1f1e9c11';

function collection(...ids: readonly string[]): Readonly<Record<string, Handler>> {
  const members = ids.map((id) => ({ '@odata.id': `/redfish/v1/Systems/${id}` }));
  return {
    ...sessionHandlers(),
    'GET /redfish/v1/Systems': () => ({ json: { Members: members } }),
    ...Object.fromEntries(
      ids.map((id) => [
        `GET /redfish/v1/Systems/${id}`,
        () => ({ json: { UUID: id === 'b' ? uuid.toUpperCase() : 'x' } }),
      ]),
    ),
  };
}

describe('finding a system', () => {
  it.each([
    ['its path', '/redfish/v1/Systems/b'],
    ['the last part of its path', 'b'],
    ['its UUID in any case', uuid],
  ])('goes by %s', async (_title, id) => {
    await using service = await FakeService.start(collection('a', 'b'));
    await using client = createClient(service);
    expect((await findSystem(client, id, soon())).path).toBe('/redfish/v1/Systems/b');
  });

  it('takes the only one when none is named', async () => {
    await using service = await FakeService.start(collection('a'));
    await using client = createClient(service);
    expect((await findSystem(client, null, soon())).path).toBe('/redfish/v1/Systems/a');
  });

  it('looks at every page of the collection', async () => {
    await using service = await FakeService.start({
      ...collection(),
      'GET /redfish/v1/Systems': () => ({
        json: { Members: [], 'Members@odata.nextLink': '/redfish/v1/Systems?$skip=1' },
      }),
      'GET /redfish/v1/Systems?$skip=1': () => ({ json: { Members: [{ '@odata.id': '/redfish/v1/Systems/z' }] } }),
    });
    await using client = createClient(service);
    expect((await findSystem(client, 'z', soon())).path).toBe('/redfish/v1/Systems/z');
  });

  it('asks to choose when there are several', async () => {
    await using service = await FakeService.start(collection('a', 'b'));
    await using client = createClient(service);
    await expect(findSystem(client, null, soon())).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: 'Set driver_info redfish_system_id to one of: /redfish/v1/Systems/a, /redfish/v1/Systems/b.',
    });
  });

  it('lists what there is when the id is wrong', async () => {
    await using service = await FakeService.start(collection('a'));
    await using client = createClient(service);
    await expect(findSystem(client, 'c', soon())).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      hint: expect.stringContaining('/redfish/v1/Systems/a'),
    });
  });
});

/** A system that accepts resets. */
async function startSystem(action: object, extra: Readonly<Record<string, Handler>> = {}): Promise<FakeService> {
  return FakeService.start({
    ...sessionHandlers(),
    [`GET ${systemPath}`]: () => ({
      json: { PowerState: 'On', Actions: { '#ComputerSystem.Reset': { target: resetPath, ...action } } },
    }),
    [`POST ${resetPath}`]: () => ({ status: 204 }),
    ...extra,
  });
}

describe('resetting a system', () => {
  it('takes the first way that the BMC allows', async () => {
    await using service = await startSystem({ 'ResetType@Redfish.AllowableValues': ['ForceOn', 'PushPowerButton'] });
    await using client = createClient(service);
    const chosen = await new ComputerSystem(client, systemPath).reset(['On', 'ForceOn', 'PushPowerButton'], soon());
    expect(chosen).toBe('ForceOn');
    expect(service.requests.at(-1)?.body).toEqual({ ResetType: 'ForceOn' });
  });

  it('reads the allowed ways from an ActionInfo resource', async () => {
    const infoPath = `${systemPath}/ResetActionInfo`;
    const parameter = { Name: 'ResetType', AllowableValues: ['PushPowerButton'] };
    await using service = await startSystem(
      { '@Redfish.ActionInfo': infoPath },
      { [`GET ${infoPath}`]: () => ({ json: { Parameters: [parameter] } }) },
    );
    await using client = createClient(service);
    const chosen = await new ComputerSystem(client, systemPath).reset(['On', 'PushPowerButton'], soon());
    expect(chosen).toBe('PushPowerButton');
  });

  it('takes the preferred way when the BMC does not say what it allows', async () => {
    await using service = await startSystem({});
    await using client = createClient(service);
    expect(await new ComputerSystem(client, systemPath).reset(['On'], soon())).toBe('On');
  });

  it('names the allowed ways when none fits, and does nothing', async () => {
    await using service = await startSystem({ 'ResetType@Redfish.AllowableValues': ['On', 'Nmi'] });
    await using client = createClient(service);
    await expect(new ComputerSystem(client, systemPath).reset(['GracefulShutdown'], soon())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: 'It offers: On, Nmi.',
    });
    expect(service.count('POST', resetPath)).toBe(0);
  });
});

describe('the manager of a system', () => {
  const managerPath = '/redfish/v1/Managers/bmc';
  const manager = { [`GET ${managerPath}`]: () => ({ json: { Model: 'Board 7', FirmwareVersion: '1.2.3' } }) };
  const info = { path: managerPath, model: 'Board 7', firmwareVersion: '1.2.3' };

  it('is the one that the system is managed by', async () => {
    const links = { Links: { ManagedBy: [{ '@odata.id': managerPath }] } };
    await using service = await FakeService.start({
      ...sessionHandlers(),
      ...manager,
      [`GET ${systemPath}`]: () => ({ json: links }),
    });
    await using client = createClient(service);
    expect(await new ComputerSystem(client, systemPath).manager(soon())).toEqual(info);
  });

  it('is the first of the service when the system does not say', async () => {
    await using service = await FakeService.start({
      ...sessionHandlers(),
      ...manager,
      [`GET ${systemPath}`]: () => ({ json: {} }),
      'GET /redfish/v1/': () => ({ json: { Managers: { '@odata.id': '/redfish/v1/Managers' } } }),
      'GET /redfish/v1/Managers': () => ({ json: { Members: [{ '@odata.id': managerPath }] } }),
    });
    await using client = createClient(service);
    expect(await new ComputerSystem(client, systemPath).manager(soon())).toEqual(info);
  });
});

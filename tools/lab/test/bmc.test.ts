import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BmcSimulator, SimulatedMachine, type BmcSystem } from '../src/index.ts';
import { basic, messageId, request, type Answer } from './redfish-client.ts';

const sessionsPath = '/redfish/v1/SessionService/Sessions';

let bmc: BmcSimulator;
let system: BmcSystem;
let path: string;

beforeEach(async () => {
  bmc = await BmcSimulator.start({ maxSessions: 2, sessionTimeoutMs: 60_000 });
  system = bmc.addSimulatedSystem('node-1');
  path = bmc.systemPath('node-1');
});

afterEach(async () => bmc.stop());

const get = async (url = path): Promise<Answer> => request(bmc, 'GET', url);
const patchBoot = async (boot: unknown): Promise<Answer> => request(bmc, 'PATCH', path, { body: { Boot: boot } });
const reset = async (type: unknown): Promise<Answer> =>
  request(bmc, 'POST', `${path}/Actions/ComputerSystem.Reset`, { body: { ResetType: type } });
const logIn = async (password = bmc.password): Promise<Answer> =>
  request(bmc, 'POST', sessionsPath, { body: { UserName: bmc.username, Password: password }, headers: {} });

describe('authentication', () => {
  test('the service root is open and leads to the other resources', async () => {
    const root = await request(bmc, 'GET', '/redfish/v1/', { headers: {} });

    expect(root.status).toBe(200);
    expect(root.body).toMatchObject({ Systems: { '@odata.id': '/redfish/v1/Systems' } });
  });

  test('everything else needs credentials', async () => {
    const without = await request(bmc, 'GET', path, { headers: {} });
    const wrong = await request(bmc, 'GET', path, { headers: basic('admin', 'wrong') });

    expect([without.status, wrong.status]).toEqual([401, 401]);
    expect(without.headers.get('WWW-Authenticate')).toContain('Basic');
    expect(messageId(without)).toBe('ResourceAtUriUnauthorized');
  });

  test('a session is used by its token until it is deleted', async () => {
    const session = await logIn();
    const token = session.headers.get('X-Auth-Token') ?? '';
    const location = session.headers.get('Location') ?? '';
    const used = await request(bmc, 'GET', path, { headers: { 'X-Auth-Token': token } });
    const deleted = await request(bmc, 'DELETE', location, { headers: { 'X-Auth-Token': token } });
    const afterwards = await request(bmc, 'GET', path, { headers: { 'X-Auth-Token': token } });

    expect([session.status, used.status, deleted.status, afterwards.status]).toEqual([201, 200, 204, 401]);
    expect(messageId(afterwards)).toBe('NoValidSession');
  });

  test('wrong credentials make no session', async () => {
    const answer = await logIn('wrong');

    expect([answer.status, answer.headers.get('X-Auth-Token')]).toEqual([401, null]);
  });

  test('sessions beyond the limit are refused', async () => {
    await logIn();
    await logIn();
    const third = await logIn();

    expect([third.status, messageId(third)]).toEqual([503, 'SessionLimitExceeded']);
  });

  test('a session that was not used for long is forgotten', async () => {
    const short = await BmcSimulator.start({ sessionTimeoutMs: -1 });
    try {
      const session = short.sessions.create(short.username, short.password);
      const answer = await request(short, 'GET', sessionsPath, { headers: { 'X-Auth-Token': session.token } });

      expect(answer.status).toBe(401);
    } finally {
      await short.stop();
    }
  });
});

describe('resources', () => {
  test('the collections list every system and its manager', async () => {
    bmc.addSimulatedSystem('node-2');
    const systems = await get('/redfish/v1/Systems');
    const managers = await get('/redfish/v1/Managers');

    expect(systems.body).toMatchObject({
      'Members@odata.count': 2,
      Members: [{ '@odata.id': path }, { '@odata.id': '/redfish/v1/Systems/node-2' }],
    });
    expect(managers.body).toMatchObject({ Members: [{ '@odata.id': '/redfish/v1/Managers/node-1' }, {}] });
  });

  test.each(['/redfish/v1/Systems/none', '/redfish/v1/Nothing', '/redfish/v1/Managers/node-1/VirtualMedia/None'])(
    '%s is missing',
    async (url) => {
      const answer = await get(url);

      expect([answer.status, messageId(answer)]).toEqual([404, 'ResourceMissingAtURI']);
    },
  );

  test('a method that a resource lacks is answered with those that it has', async () => {
    const answer = await request(bmc, 'DELETE', path);

    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET, PATCH']);
  });

  test('malformed JSON is refused', async () => {
    const answer = await request(bmc, 'PATCH', path, { body: '{"Boot": ' });

    expect([answer.status, messageId(answer)]).toEqual([400, 'MalformedJSON']);
  });

  test('network cards are listed with their addresses', async () => {
    bmc.addSimulatedSystem('node-3', ['52:54:00:00:00:01', '52:54:00:00:00:02']);
    const card = await get('/redfish/v1/Systems/node-3/EthernetInterfaces/2');

    expect(card.body).toMatchObject({ MACAddress: '52:54:00:00:00:02' });
  });
});

describe('power', () => {
  test.each([
    ['On', false, 'On'],
    ['ForceOff', true, 'Off'],
    ['GracefulShutdown', true, 'Off'],
    ['ForceRestart', true, 'On'],
    ['GracefulRestart', true, 'On'],
    ['PushPowerButton', false, 'On'],
    ['PushPowerButton', true, 'Off'],
    ['Nmi', true, 'On'],
  ])('%s with the power on=%s ends with %s', async (type, wasOn, expected) => {
    if (wasOn) await system.reset('On');
    const answer = await reset(type);

    expect(answer.status).toBe(204);
    await expect.poll(async () => (await get()).body['PowerState']).toBe(expected);
  });

  test.each(['ForceRestart', 'GracefulRestart', 'Nmi'])('%s needs the power to be on', async (type) => {
    expect((await reset(type)).status).toBe(409);
  });

  test('a guest that ignores the power button stays on', async () => {
    await system.reset('On');
    (system.machine as SimulatedMachine).heedsPowerButton = false;
    await reset('GracefulShutdown');

    expect((await get()).body['PowerState']).toBe('On');
  });

  test.each([
    ['Explode', 'ActionParameterValueNotInList'],
    [undefined, 'ActionParameterMissing'],
  ])('the reset type %s is refused', async (type, expected) => {
    const answer = await reset(type);

    expect([answer.status, messageId(answer)]).toEqual([400, expected]);
  });
});

describe('boot override', () => {
  test('a one-time override is used up by the next start', async () => {
    await patchBoot({ BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' });
    await reset('On');

    expect(system.lastBoot).toMatchObject({ target: 'Pxe', enabled: 'Once' });
    expect((await get()).body['Boot']).toMatchObject({
      BootSourceOverrideTarget: 'None',
      BootSourceOverrideEnabled: 'Disabled',
    });
  });

  test('a continuous override stays', async () => {
    await patchBoot({ BootSourceOverrideTarget: 'Cd', BootSourceOverrideEnabled: 'Continuous' });
    await reset('On');
    await reset('ForceRestart');

    expect(system.lastBoot).toMatchObject({ target: 'Cd', enabled: 'Continuous' });
  });

  test('the URL of UEFI HTTP boot is kept', async () => {
    await patchBoot({ BootSourceOverrideTarget: 'UefiHttp', HttpBootUri: 'http://127.0.0.1/boot.iso' });

    expect((await get()).body['Boot']).toMatchObject({ HttpBootUri: 'http://127.0.0.1/boot.iso' });
  });

  test.each([
    [{ BootSourceOverrideTarget: 'Tape' }, 'PropertyValueNotInList'],
    [{ BootSourceOverrideTarget: 7 }, 'PropertyValueTypeError'],
    [{ BootSourceOverrideTarget: 'Pxe', Nonsense: 1 }, 'PropertyUnknown'],
    ['Pxe', 'PropertyValueTypeError'],
  ])('%j is refused as a whole', async (boot, expected) => {
    const answer = await patchBoot(boot);

    expect([answer.status, messageId(answer)]).toEqual([400, expected]);
    expect(system.boot.target).toBe('None');
  });

  test('the power state cannot be patched', async () => {
    const answer = await request(bmc, 'PATCH', path, { body: { PowerState: 'On' } });

    expect([answer.status, messageId(answer)]).toEqual([400, 'PropertyNotWritable']);
  });

  test('a PATCH for an older state of the resource is refused', async () => {
    const etag = (await get()).headers.get('ETag') ?? '';
    const body = { Boot: { BootSourceOverrideTarget: 'Pxe' } };
    const headers = { ...basic(bmc.username, bmc.password), 'If-Match': etag };
    const first = await request(bmc, 'PATCH', path, { body, headers });
    const second = await request(bmc, 'PATCH', path, { body, headers });

    expect([first.status, second.status]).toEqual([200, 412]);
  });
});

describe('boot mode', () => {
  const modeOf = async (): Promise<unknown> =>
    ((await get()).body['Boot'] as Record<string, unknown>)['BootSourceOverrideMode'];

  test.each([
    ['bios', ['Legacy'], ['None', 'Pxe', 'Cd', 'Hdd']],
    ['uefi', ['UEFI'], ['None', 'Pxe', 'Cd', 'Hdd', 'UefiHttp']],
  ] as const)('a machine with %s firmware has that mode only', async (firmware, modes, targets) => {
    await bmc.addMachine('vm', new SimulatedMachine(['52:54:00:00:00:01'], firmware));
    const { body } = await get('/redfish/v1/Systems/vm');
    const other = { Boot: { BootSourceOverrideMode: firmware === 'uefi' ? 'Legacy' : 'UEFI' } };

    expect(body['Boot']).toMatchObject({
      BootSourceOverrideMode: modes[0],
      'BootSourceOverrideMode@Redfish.AllowableValues': modes,
      'BootSourceOverrideTarget@Redfish.AllowableValues': targets,
    });
    expect('HttpBootUri' in (body['Boot'] as object)).toBe(firmware === 'uefi');
    expect(body).not.toHaveProperty('SecureBoot');
    expect((await request(bmc, 'PATCH', '/redfish/v1/Systems/vm', { body: other })).status).toBe(400);
  });

  test('that is fixed is refused, the same mode too', async () => {
    system.quirks.hasFixedBootMode = true;
    const answer = await patchBoot({ BootSourceOverrideMode: 'UEFI' });

    expect([answer.status, messageId(answer)]).toEqual([400, 'PropertyNotWritable']);
  });

  test('is taken only with a target when the system needs one', async () => {
    system.quirks.needsTargetForBootMode = true;
    const without = await patchBoot({ BootSourceOverrideMode: 'Legacy' });
    const beside = await patchBoot({ BootSourceOverrideMode: 'Legacy', BootSourceOverrideTarget: 'Pxe' });

    expect([without.status, messageId(without), beside.status]).toEqual([400, 'PropertyMissing', 200]);
    expect(await modeOf()).toBe('Legacy');
  });

  test('is lost with a target that stands alone', async () => {
    system.quirks.losesBootMode = true;
    await patchBoot({ BootSourceOverrideTarget: 'Pxe', BootSourceOverrideMode: 'UEFI' });
    const kept = await modeOf();
    await patchBoot({ BootSourceOverrideTarget: 'Hdd' });

    expect([kept, await modeOf()]).toEqual(['UEFI', 'Legacy']);
  });

  test('that is delayed shows after the next start, and the answer says so', async () => {
    system.quirks.delaysBootMode = true;
    const answer = await patchBoot({ BootSourceOverrideMode: 'Legacy' });
    const before = await modeOf();
    await reset('On');

    expect(answer.body['@Message.ExtendedInfo']).toMatchObject([{ MessageId: 'Base.1.18.ResetRequired' }]);
    expect([before, await modeOf(), system.lastBoot?.mode]).toEqual(['UEFI', 'Legacy', 'Legacy']);
  });
});

describe('Secure Boot', () => {
  const patch = async (body: unknown): Promise<Answer> => request(bmc, 'PATCH', `${path}/SecureBoot`, { body });
  const enable = async (): Promise<Answer> => patch({ SecureBootEnable: true });

  test('is set at once and counts from the next start on', async () => {
    const set = await enable();
    await reset('On');
    const started = await get(`${path}/SecureBoot`);

    expect(set.body).toMatchObject({ SecureBootEnable: true, SecureBootCurrentBoot: 'Disabled' });
    expect(started.body).toMatchObject({ SecureBootEnable: true, SecureBootCurrentBoot: 'Enabled' });
  });

  test('needs UEFI', async () => {
    await patchBoot({ BootSourceOverrideMode: 'Legacy' });
    const answer = await enable();

    expect([answer.status, messageId(answer)]).toEqual([400, 'PropertyValueConflict']);
  });

  test.each([
    [{ SecureBootEnable: 'yes' }, 'PropertyValueTypeError'],
    [{ SecureBootMode: 'AuditMode' }, 'PropertyNotWritable'],
    [{}, 'PropertyMissing'],
  ])('%j is refused', async (body, expected) => {
    const answer = await patch(body);

    expect([answer.status, messageId(answer)]).toEqual([400, expected]);
  });

  test('is missing where the system lacks it', async () => {
    system.quirks.lacksSecureBoot = true;

    expect((await get()).body).not.toHaveProperty('SecureBoot');
    expect([(await get(`${path}/SecureBoot`)).status, (await enable()).status]).toEqual([404, 404]);
  });

  test('is locked while the power is on where the system wants it so', async () => {
    system.quirks.locksSecureBootWhileOn = true;
    await reset('On');
    const on = await enable();
    await reset('ForceOff');
    const off = await enable();

    expect([on.status, off.status]).toEqual([409, 200]);
  });

  test('that is delayed shows after the next start, and the answer says so', async () => {
    system.quirks.delaysSecureBoot = true;
    const answer = await enable();
    const before = await get(`${path}/SecureBoot`);
    await reset('On');

    expect(answer.body['@Message.ExtendedInfo']).toMatchObject([{ MessageId: 'Base.1.18.ResetRequired' }]);
    expect(before.body).toMatchObject({ SecureBootEnable: false });
    expect((await get(`${path}/SecureBoot`)).body).toMatchObject({ SecureBootEnable: true });
  });

  test('is forgotten where the system ignores it', async () => {
    system.quirks.ignoresSecureBoot = true;

    expect((await enable()).status).toBe(200);
    expect((await get(`${path}/SecureBoot`)).body).toMatchObject({ SecureBootEnable: false });
  });

  test('is not changed for an older state of the resource', async () => {
    const etag = (await get(`${path}/SecureBoot`)).headers.get('ETag') ?? '';
    await reset('On');
    const headers = { ...basic(bmc.username, bmc.password), 'If-Match': etag };
    const answer = await request(bmc, 'PATCH', `${path}/SecureBoot`, { body: { SecureBootEnable: true }, headers });

    expect(answer.status).toBe(412);
  });
});

describe('virtual media', () => {
  const media = '/redfish/v1/Managers/node-1/VirtualMedia/Cd';
  const insert = async (body: unknown): Promise<Answer> =>
    request(bmc, 'POST', `${media}/Actions/VirtualMedia.InsertMedia`, { body });

  test('an image stays inserted until it is ejected', async () => {
    await insert({ Image: 'http://127.0.0.1/boot.iso', Inserted: true });
    const inserted = await get(media);
    await request(bmc, 'POST', `${media}/Actions/VirtualMedia.EjectMedia`);
    const ejected = await get(media);

    expect(inserted.body).toMatchObject({ Inserted: true, Image: 'http://127.0.0.1/boot.iso', ConnectedVia: 'URI' });
    expect(ejected.body).toMatchObject({ Inserted: false, Image: null, ConnectedVia: 'NotConnected' });
  });

  test('a second image needs the first one to be ejected', async () => {
    await insert({ Image: 'http://127.0.0.1/1.iso' });

    expect((await insert({ Image: 'http://127.0.0.1/2.iso' })).status).toBe(409);
  });

  test.each([
    [{}, 'ActionParameterMissing'],
    [{ Image: 1 }, 'ActionParameterValueTypeError'],
    [{ Image: 'http://127.0.0.1/1.iso', Nonsense: true }, 'ActionParameterUnknown'],
  ])('%j is refused', async (body, expected) => {
    const answer = await insert(body);

    expect([answer.status, messageId(answer)]).toEqual([400, expected]);
  });
});

test('BIOS attributes take effect at the next start', async () => {
  await request(bmc, 'PATCH', `${path}/Bios/Settings`, { body: { Attributes: { BootMode: 'LegacyBios' } } });
  const before = await get(`${path}/Bios`);
  await reset('On');
  const after = await get(`${path}/Bios`);

  expect(before.body['Attributes']).toEqual({ BootMode: 'Uefi' });
  expect(after.body['Attributes']).toEqual({ BootMode: 'LegacyBios' });
});

test('a request is reported with its answer', async () => {
  const seen: unknown[] = [];
  bmc.events.on('request', (each) => seen.push(each));
  await reset('On');

  await expect
    .poll(() => seen)
    .toEqual([
      { method: 'POST', path: `${path}/Actions/ComputerSystem.Reset`, body: { ResetType: 'On' }, status: 204 },
    ]);
});

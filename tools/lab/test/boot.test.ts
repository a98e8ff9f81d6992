import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpServer, startLab, waitForGuest, type Lab, type LabMachine } from '../src/index.ts';
import { poll } from '../src/wait.ts';

const bootTimeoutMs = 90_000;
const testTimeoutMs = 150_000;
const chap = { username: 'lab-user', password: 'throwaway-secret' };

let parent: string;
let lab: Lab;
let http: HttpServer;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'lab-test-'));
  lab = await startLab({ directory: parent });
  http = await HttpServer.start();
});

afterEach(async () => {
  await lab.stop();
  await http.stop();
  await rm(parent, { recursive: true });
});

test(
  'a machine that Redfish switches on boots from a volume behind CHAP, and soft off leaves nothing behind',
  { timeout: testTimeoutMs },
  async () => {
    const volume = await lab.createVolume({ name: 'root', chap });
    const { machine, systemPath } = await createMachine([
      'set initiator-iqn iqn.2026-01.org.ironbark.lab:machine',
      `set username ${chap.username}`,
      `set password ${chap.password}`,
      `sanboot iscsi:${volume.portal.host}::${volume.portal.port}:${volume.lun}:${volume.iqn}`,
    ]);
    await redfish('PATCH', systemPath, {
      Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' },
    });
    await reset(systemPath, 'On');
    const report = await waitForGuest(machine.serial, { timeoutMs: bootTimeoutMs, from: 0 });

    expect(report).toMatchObject({
      root: '/dev/sda1',
      session: volume.iqn,
      targets: [volume.iqn],
      initiator: 'iqn.2026-01.org.ironbark.lab:machine',
    });
    expect((await lab.iscsi.sessions(volume.iqn)).map((session) => session.initiator)).toContain(report.initiator);
    expect(await redfish('GET', systemPath)).toMatchObject({
      PowerState: 'On',
      Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None' },
    });

    const pids = [machine.pid];
    await reset(systemPath, 'GracefulShutdown');
    const isOff = async () => ((await redfish('GET', systemPath))['PowerState'] === 'Off' ? true : undefined);
    await poll(isOff, { what: 'the guest to switch itself off', timeoutMs: 20_000 });
    await lab.stop();
    for (const pid of pids) await expect(access(`/proc/${pid}`)).rejects.toThrow('ENOENT');
    expect(await readdir(parent)).toEqual([]);
  },
);

test(
  'a one-time override counts for one start, a continuous one for every start',
  { timeout: testTimeoutMs },
  async () => {
    const { machine, systemPath } = await createMachine(['echo SCRIPT-RAN', 'prompt --timeout 60000 waiting']);
    await redfish('PATCH', systemPath, {
      Boot: { BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Continuous' },
    });
    const next = async (): Promise<string> =>
      machine.serial.waitForLine(/SCRIPT-RAN|No bootable device/, { timeoutMs: bootTimeoutMs });
    const ends = [];
    for (const type of ['On', 'ForceRestart']) ends.push((await Promise.all([next(), reset(systemPath, type)]))[0]);
    await redfish('PATCH', systemPath, { Boot: { BootSourceOverrideEnabled: 'Once' } });
    for (const type of ['ForceRestart', 'ForceRestart']) {
      ends.push((await Promise.all([next(), reset(systemPath, type)]))[0]);
    }

    expect(ends).toEqual(['SCRIPT-RAN', 'SCRIPT-RAN', 'SCRIPT-RAN', 'No bootable device.']);
  },
);

test('a machine reads its virtual CD from the URL that was inserted', { timeout: testTimeoutMs }, async () => {
  const { machine, systemPath } = await createMachine([]);
  const media = '/redfish/v1/Managers/machine/VirtualMedia/Cd';
  http.files.set('/empty.iso', Buffer.alloc(1024 * 1024));
  await redfish('POST', `${media}/Actions/VirtualMedia.InsertMedia`, {
    Image: `http://127.0.0.1:${http.port}/empty.iso`,
  });
  await reset(systemPath, 'On');

  await machine.serial.waitForLine(/Could not read from CDROM/, { timeoutMs: bootTimeoutMs, from: 0 });
  expect(http.requests).toContainEqual({ method: 'GET', url: '/empty.iso' });
  expect(await redfish('GET', media)).toMatchObject({ Inserted: true, ConnectedVia: 'URI' });
});

test('an image that cannot be read is not inserted', async () => {
  await createMachine([]);
  const media = '/redfish/v1/Managers/machine/VirtualMedia/Floppy';
  const image = `http://127.0.0.1:${http.port}/missing.img`;

  const answer = await redfish('POST', `${media}/Actions/VirtualMedia.InsertMedia`, { Image: image });
  expect(answer).toMatchObject({ error: { code: 'Base.1.18.CouldNotEstablishConnection' } });
  expect(await redfish('GET', media)).toMatchObject({ Inserted: false });
});

async function createMachine(script: readonly string[]): Promise<LabMachine> {
  http.files.set('/boot.ipxe', ['#!ipxe', ...script, ''].join('\n'));
  const bootFile = `http://10.0.2.2:${http.port}/boot.ipxe`;
  return lab.createMachine({ name: 'machine', network: { kind: 'user', bootFile } });
}

async function reset(systemPath: string, type: string): Promise<void> {
  await redfish('POST', `${systemPath}/Actions/ComputerSystem.Reset`, { ResetType: type });
}

async function redfish(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const credentials = Buffer.from(`${lab.bmc.username}:${lab.bmc.password}`).toString('base64');
  const response = await fetch(`${lab.bmc.url}${path}`, {
    method,
    headers: { Authorization: `Basic ${credentials}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

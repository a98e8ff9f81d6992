import { afterEach, beforeEach, expect, test } from 'vitest';
import { BmcSimulator, type BmcSystem } from '../src/index.ts';
import { request } from './redfish-client.ts';

const sessionsPath = '/redfish/v1/SessionService/Sessions';

let bmc: BmcSimulator;
let system: BmcSystem;
let path: string;

beforeEach(async () => {
  bmc = await BmcSimulator.start();
  system = bmc.addSimulatedSystem('node-1');
  path = bmc.systemPath('node-1');
});

afterEach(async () => bmc.stop());

const status = async (url = path): Promise<number> => (await request(bmc, 'GET', url)).status;
const switchOn = async (): Promise<number> => {
  const action = `${path}/Actions/ComputerSystem.Reset`;
  return (await request(bmc, 'POST', action, { body: { ResetType: 'On' } })).status;
};

test('so many requests fail as were asked for', async () => {
  system.faults.add({ kind: 'status', status: 503, times: 2 });

  expect([await status(), await status(), await status()]).toEqual([503, 503, 200]);
});

test('a fault of a system spares other systems', async () => {
  bmc.addSimulatedSystem('node-2');
  system.faults.add({ kind: 'status', status: 500 });

  expect([await status(), await status(bmc.systemPath('node-2'))]).toEqual([500, 200]);
});

test('a fault of a system hits its manager too', async () => {
  system.faults.add({ kind: 'status', status: 500 });

  expect(await status('/redfish/v1/Managers/node-1')).toBe(500);
});

test('a fault can be limited to a method and a path', async () => {
  system.faults.add({ kind: 'status', status: 500, method: 'POST', path: /Reset$/ });

  expect([await status(), await switchOn()]).toEqual([200, 500]);
});

test('a request that fails before its effect changes nothing', async () => {
  system.faults.add({ kind: 'status', status: 500, times: 1 });

  expect([await switchOn(), system.powerState]).toEqual([500, 'Off']);
});

test('a request that fails after its effect has changed the machine', async () => {
  system.faults.add({ kind: 'status', status: 500, times: 1, afterEffect: true });

  expect([await switchOn(), system.powerState]).toEqual([500, 'On']);
});

test('a dropped connection gives no answer and has no effect', async () => {
  system.faults.add({ kind: 'drop', times: 1 });

  await expect(switchOn()).rejects.toThrow('fetch failed');
  expect(system.powerState).toBe('Off');
});

test('a connection that is dropped late gives no answer after the effect', async () => {
  system.faults.add({ kind: 'drop', times: 1, afterEffect: true });

  await expect(switchOn()).rejects.toThrow('fetch failed');
  expect(system.powerState).toBe('On');
});

test('a delay holds the answer back', async () => {
  system.faults.add({ kind: 'delay', milliseconds: 150, times: 1 });
  const started = performance.now();
  await status();

  expect(performance.now() - started).toBeGreaterThan(140);
});

test('the reported power state can be wrong', async () => {
  system.quirks.reportedPowerState = 'Off';
  await switchOn();

  expect((await request(bmc, 'GET', path)).body['PowerState']).toBe('Off');
  expect(system.machine.isOn).toBe(true);
});

test('a boot override can be ignored with success', async () => {
  system.quirks.ignoresBootOverride = true;
  const answer = await request(bmc, 'PATCH', path, { body: { Boot: { BootSourceOverrideTarget: 'Pxe' } } });

  expect([answer.status, system.boot.target]).toEqual([200, 'None']);
});

test('a power action can be ignored with success', async () => {
  system.quirks.ignoresReset = true;

  expect([await switchOn(), system.powerState]).toEqual([204, 'Off']);
});

test('a system can insist on If-Match', async () => {
  system.quirks.requiresEtag = true;
  const answer = await request(bmc, 'PATCH', path, { body: { Boot: {} } });

  expect(answer.status).toBe(428);
});

test('new sessions can be refused while basic authentication works', async () => {
  bmc.sessions.refused = true;
  const body = { UserName: bmc.username, Password: bmc.password };
  const session = await request(bmc, 'POST', sessionsPath, { body, headers: {} });

  expect([session.status, await status()]).toEqual([503, 200]);
});

test('faults of the whole service hit the session service', async () => {
  bmc.faults.add({ kind: 'status', status: 500, times: 1 });

  expect([await status(sessionsPath), await status(sessionsPath)]).toEqual([500, 200]);
});

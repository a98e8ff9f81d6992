import { Secret, type Info } from '@ironbark/core';
import { BmcSimulator, type BmcRequest } from '@ironbark/lab';
import { describe, expect, it } from 'vitest';
import { setUpRedfish, taskWith } from './support/drivers.ts';

const password = 'Lab-Secret-1';

/** The plugin on the lab's BMC with two simulated systems. */
async function start() {
  const bmc = await BmcSimulator.start({ username: 'operator', password });
  const systems = ['1', '2'].map((id) => bmc.addSimulatedSystem(id));
  const requests: BmcRequest[] = [];
  bmc.events.on('request', (request) => requests.push(request));
  const redfish = await setUpRedfish();
  return {
    bmc,
    systems,
    requests,
    redfish,
    power: redfish.driver('power', 'redfish'),
    task: (id: string, changes: Info = {}) => {
      const driverInfo = {
        redfish_address: bmc.url,
        redfish_system_id: bmc.systemPath(id),
        redfish_username: 'operator',
        redfish_password: Secret.of(password),
        ...changes,
      };
      return taskWith(driverInfo);
    },
    [Symbol.asyncDispose]: async () => {
      await redfish.shutDown();
      await bmc.stop();
    },
  };
}

describe('nodes of one BMC', () => {
  it('share a session, which ends at shutdown', async () => {
    await using bench = await start();
    await Promise.all(['1', '2'].map((id) => bench.power.getPowerState(bench.task(id))));
    expect(bench.bmc.sessions.list()).toHaveLength(1);
    await bench.redfish.shutDown();
    expect(bench.bmc.sessions.list()).toHaveLength(0);
  });

  it('use a corrected password at once', async () => {
    await using bench = await start();
    const wrong = bench.task('1', { redfish_password: Secret.of('wrong') });
    await expect(bench.power.getPowerState(wrong)).rejects.toMatchObject({ code: 'BMC_UNAUTHORIZED' });
    expect(await bench.power.getPowerState(bench.task('1'))).toBe('power off');
  });

  it('are told apart by the UUID of their system', async () => {
    await using bench = await start();
    await bench.systems[1]?.machine.powerOn();
    const uuid = await uuidOf(bench.bmc, '2');
    expect(await bench.power.getPowerState(bench.task('', { redfish_system_id: uuid }))).toBe('power on');
  });

  it('have to say which system they are', async () => {
    await using bench = await start();
    const task = bench.task('', { redfish_system_id: null });
    await expect(bench.power.getPowerState(task)).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: expect.stringContaining('/redfish/v1/Systems/2'),
    });
  });
});

describe('a machine whose BMC fails', () => {
  it.each([
    ['loses the answer to a reset', { kind: 'drop', afterEffect: true }],
    ['answers a reset with an error and does it', { kind: 'status', status: 500, afterEffect: true }],
    ['loses a reset', { kind: 'drop' }],
    ['is not ready for a reset', { kind: 'status', status: 503 }],
  ] as const)('starts once although it %s', async (_title, fault) => {
    await using bench = await start();
    bench.systems[0]?.faults.add({ ...fault, method: 'POST', path: /Reset$/, times: 1 });
    await bench.power.setPowerState(bench.task('1'), 'power on', 2000);
    expect(bench.systems[0]?.machine.isOn).toBe(true);
    expect(bench.systems[0]?.resets).toBe(1);
  });

  it('is restarted although the BMC forgets its sessions on the way', async () => {
    await using bench = await start();
    const [system] = bench.systems;
    await system?.machine.powerOn();
    system?.machine.events.once('off', () => bench.bmc.sessions.clear());
    await bench.power.setPowerState(bench.task('1'), 'rebooting', 2000);
    expect(system?.machine.isOn).toBe(true);
    expect(system?.resets).toBe(2);
  });

  it('is not said to be off while the BMC says that it is going down', async () => {
    await using bench = await start();
    const [system] = bench.systems;
    if (system !== undefined) system.quirks.reportedPowerState = 'PoweringOff';
    const call = bench.power.setPowerState(bench.task('1'), 'power off', 50);
    await expect(call).rejects.toMatchObject({ code: 'POWER_STATE_FAILURE' });
  });
});

describe('the password', () => {
  it('is sent to the session service only', async () => {
    await using bench = await start();
    await bench.power.setPowerState(bench.task('1'), 'power on', 2000);
    const bodies = bench.requests.filter(({ path }) => !path.endsWith('/Sessions')).map(({ body }) => body);
    expect(JSON.stringify(bodies)).not.toContain(password);
  });
});

async function uuidOf(bmc: BmcSimulator, id: string): Promise<string> {
  const headers = { authorization: `Basic ${Buffer.from(`operator:${password}`).toString('base64')}` };
  const response = await fetch(`${bmc.url}${bmc.systemPath(id)}`, { headers });
  return ((await response.json()) as { readonly UUID: string }).UUID;
}

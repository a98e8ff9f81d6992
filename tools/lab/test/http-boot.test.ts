import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HttpServer, startLab, type Lab } from '../src/index.ts';
import { request } from './redfish-client.ts';

// Without KVM a machine takes its time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

let lab: Lab;
let http: HttpServer;

beforeEach(async () => {
  lab = await startLab();
  http = await HttpServer.start();
});

afterEach(async () => {
  await lab.stop();
  await http.stop();
});

test('UEFI firmware boots by HTTP from the URL that the BMC was given', async () => {
  http.files.set('/boot/loader.efi', await readFile('/usr/lib/ipxe/snponly.efi'));
  const { machine, systemPath } = await lab.createMachine({ name: 'machine', firmware: 'uefi', memoryMiB: 512 });
  const HttpBootUri = `http://10.0.2.2:${http.port}/boot/loader.efi`;
  const url = { Boot: { HttpBootUri } };
  const target = { Boot: { BootSourceOverrideTarget: 'UefiHttp', BootSourceOverrideEnabled: 'Continuous' } };
  for (const body of [url, target]) {
    expect((await request(lab.bmc, 'PATCH', systemPath, { body })).status).toBe(200);
  }
  const loaded = machine.serial.waitForLine(/iPXE initialising devices/, { timeoutMs: 180_000 });
  await machine.powerOn();
  await loaded;

  expect(http.requests).toContainEqual({ method: 'GET', url: '/boot/loader.efi' });
});

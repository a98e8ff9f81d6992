import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BmcSimulator, createCertificate, type BmcSystem } from '../src/index.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

// The Redfish client that Ironic uses, from Debian: Debian's own Python finds it, another one in the path does not.
const python = '/usr/bin/python3';
const script = fileURLToPath(new URL('sushy-client.py', import.meta.url));

let bmc: BmcSimulator;
let system: BmcSystem;

beforeEach(async () => {
  bmc = await BmcSimulator.start();
  system = bmc.addSimulatedSystem('node-1', ['52:54:00:00:00:01', '52:54:00:00:00:02']);
});

afterEach(async () => bmc.stop());

async function sushy(action: string, service = bmc, ...args: readonly string[]): Promise<unknown> {
  // These variables would win over the CA file that the client is given.
  const env = { REQUESTS_CA_BUNDLE: '', CURL_CA_BUNDLE: '' };
  const { stdout } = await execa(python, [script, action, service.url, 'node-1', ...args], { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

test('sushy logs in with a session, which it deletes, and reads the system', async () => {
  const seen: string[] = [];
  bmc.events.on('request', ({ method, path }) => seen.push(`${method} ${path}`));

  expect(await sushy('summary')).toEqual({
    uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    macs: ['52:54:00:00:00:01', '52:54:00:00:00:02'],
    managers: ['node-1'],
    memory: 8,
    bios: { BootMode: 'Uefi' },
    etag: true,
  });
  expect(seen).toContain('POST /redfish/v1/SessionService/Sessions');
  expect(bmc.sessions.list()).toEqual([]);
});

test('sushy reads the system with basic authentication', async () => {
  expect(await sushy('basic')).toMatchObject({ managers: ['node-1'] });
});

test('sushy switches the power on, restarts, and switches off', async () => {
  expect(await sushy('power')).toMatchObject({ states: ['Off', 'On', 'On', 'Off', 'On', 'Off'] });
  expect(system.resets).toBe(3);
});

test('sushy sets the boot device once and continuously', async () => {
  expect(await sushy('boot')).toMatchObject({
    before: ['None', 'Disabled', 'UEFI'],
    once: ['Pxe', 'Once', 'Legacy'],
    consumed: ['None', 'Disabled', 'Legacy'],
    continuous: ['Hdd', 'Continuous', 'UEFI'],
  });
  expect(system.lastBoot).toMatchObject({ target: 'Hdd' });
});

test('sushy sets the boot mode, which a boot device leaves alone', async () => {
  expect(await sushy('boot-mode')).toEqual([
    ['None', 'Disabled', 'UEFI'],
    ['None', 'Disabled', 'Legacy'],
    ['Pxe', 'Disabled', 'Legacy'],
    ['UefiHttp', 'Disabled', 'UEFI'],
  ]);
});

test('sushy turns Secure Boot on, which counts from the next start on', async () => {
  expect(await sushy('secure-boot')).toEqual([false, 'Disabled', true, 'Enabled']);
});

test('sushy finds no Secure Boot where there is none', async () => {
  system.quirks.lacksSecureBoot = true;

  expect(await sushy('no-secure-boot')).toContain('SecureBoot');
});

test('sushy inserts and ejects virtual media', async () => {
  expect(await sushy('media')).toEqual({
    Cd: ['http://127.0.0.1:1/Cd.img', true, true, null, false],
    Floppy: ['http://127.0.0.1:1/Floppy.img', true, true, null, false],
  });
});

test('sushy changes BIOS settings for the next start', async () => {
  expect(await sushy('bios')).toEqual(['LegacyBios', 'LegacyBios']);
});

test('sushy understands an error of the service', async () => {
  expect(await sushy('failure')).toEqual({
    code: 'Base.1.18.PropertyValueNotInList',
    status: 400,
    text: expect.stringContaining("The value 'Tape' for the property BootSourceOverrideTarget"),
  });
});

test('sushy verifies the certificate of the service', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
  const secure = await BmcSimulator.start({ certificate: await createCertificate(directory) });
  try {
    secure.addSimulatedSystem('node-1');

    expect(await sushy('summary', secure, secure.caFile ?? '')).toMatchObject({ managers: ['node-1'] });
    await expect(sushy('summary', secure)).rejects.toThrow('certificate verify failed');
  } finally {
    await secure.stop();
    await rm(directory, { recursive: true });
  }
});

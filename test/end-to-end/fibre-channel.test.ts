import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, defaultCacheDirectory, guestImage } from '@ironbark/lab';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { EnrolledMachine } from './enrolled-machine.ts';
import { bootTimeoutMs } from './volume-machine.ts';

const attempts = 2;
const ports = ['50:06:01:60:3b:20:11:22', '50:06:01:68:3b:20:11:22'];

let directory: string;
let machine: EnrolledMachine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fibre-channel-test-'));
  const disk = join(directory, 'disk.img');
  await copyImage(await guestImage(defaultCacheDirectory()), disk);
  machine = await EnrolledMachine.start({ disk, ipxe: { attempts, retry_delay: 1, reboot_delay: 1 } });
});

afterEach(() => machine.restore());

afterAll(async () => {
  await machine.stop();
  await rm(directory, { recursive: true });
});

async function createTarget(): Promise<void> {
  await machine.openstack.baremetal(
    ['volume', 'target', 'create', '--node', machine.nodeUuid, '--type', 'fibre_channel'],
    ['--boot-index', '0', '--volume-id', 'volume-0'],
    ['--property', `target_wwn=${JSON.stringify(ports)}`, '--property', 'target_lun=1'],
  );
}

// The iPXE of distributions has no FCoE, so that it ends where the fabric would be asked.
it('iPXE tries every path to a Fibre Channel volume, tells the conductor why none opens, and starts over', async () => {
  await machine.set(['--property', 'capabilities=fiberchannel_boot:True']);
  await createTarget();
  const { serial } = machine.site.machine.machine;
  const begin = serial.lines.length;
  await machine.deployUntil(/^Rebooting in 1 seconds/);
  const lines = serial.lines.slice(begin);
  expect(lines.filter((line) => line.includes('http://ipxe.org/3c092003'))).toHaveLength(attempts * ports.length);
  expect(await machine.show()).toMatchObject({
    provision_state: 'active',
    last_error: expect.stringMatching(/^The machine could not boot from the boot volume: this build of iPXE lacks/),
    instance_info: { boot_option: 'netboot' },
  });
  const again = { from: begin + lines.length, timeoutMs: bootTimeoutMs };
  await serial.waitForLine(/^Giving up after attempt 2/, again);
  expect((await machine.release()).left).toEqual([]);
});

it('a host bus adapter: the machine boots from its disk, and nothing is served to it over the network', async () => {
  await machine.set(['--property', 'capabilities=hba_boot:True']);
  await createTarget();
  expect(await machine.plan()).toMatchObject({ problems: [], bootSource: 'hba', artifacts: { bootDevice: 'disk' } });
  expect(await machine.deployUntil(/IRONBARK-GUEST (?:ROOT-OK|FAIL)/)).toContain('ROOT-OK root=/dev/vda1 session= ');
  expect(await machine.servedFiles()).toEqual([]);
  const device = ['node', 'boot', 'device', 'show', machine.nodeUuid];
  expect(await machine.openstack.json(device)).toEqual({ boot_device: 'disk', persistent: true });
  expect(await machine.show()).toMatchObject({ last_error: null, instance_info: { boot_option: 'local' } });
  expect((await machine.release()).node).toMatchObject({ instance_info: {}, driver_internal_info: {} });
});

import { readFile } from 'node:fs/promises';
import { LabNetwork } from '@ironbark/lab/network';
import { execa } from 'execa';
import { expect, it } from 'vitest';

/** All network interfaces of this namespace, up or down. */
async function interfaces(): Promise<readonly string[]> {
  const devices = await readFile('/proc/self/net/dev', 'utf8');
  return Array.from(devices.matchAll(/^\s*(\w+):/gm), ([, name]) => name ?? '').sort();
}

it('runs beside the network of the host: nothing but loopback is there before a lab network begins', async () => {
  expect(await interfaces()).toEqual(['lo']);
});

it('leaves nothing behind when a lab network ends', async () => {
  const network = await LabNetwork.start();
  expect([await network.addTap(), await network.addCard()]).toEqual(['tap1', 'card2']);
  expect(await interfaces()).toEqual(['card2', 'lab0', 'lo', 'port2', 'tap1']);
  await network.stop();
  expect(await interfaces()).toEqual(['lo']);
});

it('reaches no address outside of the lab network', async () => {
  await using network = await LabNetwork.start();
  const { stdout } = await execa('ip', ['route', 'show', 'table', 'main']);
  expect(stdout.trim()).toBe(`198.51.100.0/24 dev lab0 proto kernel scope link src ${network.address}`);
});

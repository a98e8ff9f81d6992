import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DhcpServer, LabNetwork, requestLease } from '@ironbark/lab/network';
import { afterEach, beforeEach, expect, it } from 'vitest';

let directory: string;
let network: LabNetwork;
let card: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'network-test-'));
  network = await LabNetwork.start();
  card = await network.addCard();
});

afterEach(async () => {
  await network.stop();
  await rm(directory, { recursive: true });
});

it('boot files by lines of configuration: the firmware gets a loader, iPXE its script', async () => {
  const lines = [
    'dhcp-match=set:ipxe,175',
    'dhcp-match=set:uefi,option:client-arch,7',
    'dhcp-boot=tag:uefi,tag:!ipxe,ipxe.efi',
    'dhcp-boot=tag:ipxe,http://198.51.100.1:8080/boot.ipxe',
  ];
  await using server = await DhcpServer.start({ network, directory, lines });
  const firmware = { card, macAddress: '52:54:00:00:00:01', vendorClass: 'PXEClient:Arch:00007:UNDI:003016' };
  expect(await requestLease({ ...firmware, architecture: 7 })).toMatchObject({
    address: expect.stringMatching(/^198\.51\.100\.1\d\d$/),
    nextServer: network.address,
    bootFile: 'ipxe.efi',
  });
  expect(await requestLease({ ...firmware, architecture: 7, userClass: 'iPXE', ipxeOptions: 'b105' })).toMatchObject({
    bootFile: 'http://198.51.100.1:8080/boot.ipxe',
  });
  expect(await requestLease({ ...firmware, architecture: 0 })).toMatchObject({ bootFile: undefined });
  expect(await server.waitForLog(/DHCPACK\(lab0\) 198\.51\.100\.1\d\d 52:54:00:00:00:01/, 1000)).toContain('DHCPACK');
});

it('says what dnsmasq does not understand', async () => {
  await expect(DhcpServer.start({ network, directory, lines: ['dhcp-nonsense'] })).rejects.toMatchObject({
    code: 'LAB_PROCESS_ENDED',
    message: expect.stringContaining('bad option at line'),
  });
});

import type { DhcpBoot } from '@ironbark/core';
import { DhcpServer, requestLease, type DhcpLease, type DhcpRequest } from '@ironbark/lab/network';
import type { Netboot } from '@ironbark/netboot';
import { expect, it } from 'vitest';
import { openSegmentNetboot, startSegment } from './segment.ts';

const scriptUrl = 'http://198.51.100.1:8080/boot.ipxe';
const loaderUrl = 'http://198.51.100.1:8080/snponly.efi';
const ipxeOptions = '0101eb'; // one of the many features that iPXE tells of

const nodeUuid = '0f9a4d31-8f0b-44a2-b3d3-5b2f1d0a7a00';
const known: DhcpBoot = {
  portUuid: '0f9a4d31-8f0b-44a2-b3d3-5b2f1d0a7a01',
  macAddress: '52:54:00:00:00:01',
  bootFiles: {
    ipxe: scriptUrl,
    bios: 'undionly.kpxe',
    'uefi-x86_64': 'snponly.efi',
    'uefi-arm64': 'arm64/snponly.efi',
    'http-x86_64': loaderUrl,
    'http-arm64': 'http://198.51.100.1:8080/arm64/snponly.efi',
  },
};

interface ProvidedSegment {
  readonly server: DhcpServer;
  readonly dhcp: NonNullable<Netboot['dhcp']>;
  /** Asks for a lease as this client. */
  lease(request: Omit<DhcpRequest, 'card' | 'macAddress'>, macAddress?: string): Promise<DhcpLease>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** dnsmasq that reads what the conductor's DHCP provider writes. */
async function startProvided(): Promise<ProvidedSegment> {
  const segment = await startSegment();
  const { dhcp } = await openSegmentNetboot(segment);
  if (dhcp === null) throw new TypeError('There is a provider.');
  const configurationFiles = [`${segment.directory}/dhcp/ironbark.conf`];
  const server = await DhcpServer.start({ ...segment, configurationFiles });
  const card = await segment.network.addCard();
  return {
    server,
    dhcp,
    lease: (request, macAddress = known.macAddress) => requestLease({ card, macAddress, ...request }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

const pxeClient = (architecture: number) => ({
  vendorClass: `PXEClient:Arch:${String(architecture).padStart(5, '0')}:UNDI:003016`,
  architecture,
});
const httpClient = (architecture: number) => ({
  vendorClass: `HTTPClient:Arch:${String(architecture).padStart(5, '0')}:UNDI:003001`,
  architecture,
});

it('tells every kind of client its own boot file, and no other client any', async () => {
  await using segment = await startProvided();
  await segment.dhcp.apply(nodeUuid, [known]);
  await segment.server.waitForLog(/read .*\/hosts\/52-54-00-00-00-01/, 10_000);
  const bootFileFor = async (request: Omit<DhcpRequest, 'card' | 'macAddress'>) =>
    (await segment.lease(request)).bootFile;
  expect({
    bios: await bootFileFor(pxeClient(0)),
    uefi: await bootFileFor(pxeClient(7)),
    olderUefi: await bootFileFor(pxeClient(9)),
    uefiArm: await bootFileFor(pxeClient(11)),
    uefi32: await bootFileFor(pxeClient(6)),
    ipxeOnBios: await bootFileFor({ ...pxeClient(0), userClass: 'iPXE', ipxeOptions }),
    ipxeOnUefi: await bootFileFor({ ...pxeClient(7), userClass: 'iPXE', ipxeOptions }),
    ipxeByClassOnly: await bootFileFor({ ...pxeClient(7), userClass: 'iPXE' }),
    ipxeByOptionsOnly: await bootFileFor({ ...pxeClient(7), ipxeOptions }),
    operatingSystem: await bootFileFor({ vendorClass: 'udhcp 1.35.0' }),
  }).toEqual({
    bios: 'undionly.kpxe',
    uefi: 'snponly.efi',
    olderUefi: 'snponly.efi',
    uefiArm: 'arm64/snponly.efi',
    uefi32: undefined,
    ipxeOnBios: scriptUrl,
    ipxeOnUefi: scriptUrl,
    ipxeByClassOnly: scriptUrl,
    ipxeByOptionsOnly: scriptUrl,
    operatingSystem: undefined,
  });
});

it('answers UEFI HTTP boot with a URL and the vendor class that it insists on', async () => {
  await using segment = await startProvided();
  await segment.dhcp.apply(nodeUuid, [known]);
  await segment.server.waitForLog(/read .*\/hosts\/52-54-00-00-00-01/, 10_000);
  expect(await segment.lease(httpClient(16))).toMatchObject({ bootFile: loaderUrl, vendorClass: 'HTTPClient' });
  expect(await segment.lease(httpClient(19))).toMatchObject({
    bootFile: known.bootFiles['http-arm64'],
    vendorClass: 'HTTPClient',
  });
  expect(await segment.lease(pxeClient(7))).not.toMatchObject({ vendorClass: 'HTTPClient' });
});

it('gives a card that it does not know an address and no boot file', async () => {
  await using segment = await startProvided();
  await segment.dhcp.apply(nodeUuid, [known]);
  await segment.server.waitForLog(/read .*\/hosts\/52-54-00-00-00-01/, 10_000);
  expect(await segment.lease(pxeClient(7), '52:54:00:00:00:02')).toMatchObject({
    address: expect.stringMatching(/^198\.51\.100\./),
    bootFile: undefined,
  });
});

it('follows new, changed and removed cards without a restart or a signal', async () => {
  await using segment = await startProvided();
  const { pid } = segment.server;
  const bootFile = async () => (await segment.lease(pxeClient(7))).bootFile;
  expect(await bootFile()).toBeUndefined();
  await segment.dhcp.apply(nodeUuid, [known]);
  await expect.poll(bootFile, { timeout: 10_000 }).toBe('snponly.efi');
  await segment.dhcp.apply(nodeUuid, [{ ...known, bootFiles: { 'uefi-x86_64': 'grubx64.efi' } }]);
  await expect.poll(bootFile, { timeout: 10_000 }).toBe('grubx64.efi');
  await segment.dhcp.remove(nodeUuid, [known]);
  await expect.poll(bootFile, { timeout: 10_000 }).toBeUndefined();
  await segment.dhcp.apply(nodeUuid, [known]);
  await expect.poll(bootFile, { timeout: 10_000 }).toBe('snponly.efi');
  expect(segment.server.pid).toBe(pid);
  expect(await segment.server.log()).not.toMatch(/SIGHUP|exiting/);
});

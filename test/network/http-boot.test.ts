import { startLab } from '@ironbark/lab';
import { DhcpServer } from '@ironbark/lab/network';
import { expect, it, onTestFinished } from 'vitest';
import { openSegmentNetboot, startSegment } from './segment.ts';

it('UEFI firmware that boots by HTTP loads iPXE from the URL that the conductor wrote for dnsmasq', async () => {
  const segment = await startSegment();
  const { tree, dhcp, httpUrl } = await openSegmentNetboot(segment);
  await tree.placeShared({ root: 'http', path: 'snponly.efi' }, '/usr/lib/ipxe/snponly.efi');
  const lab = await startLab({ network: segment.network });
  onTestFinished(() => lab.stop());
  const { machine } = await lab.createMachine({ name: 'machine', firmware: 'uefi' });
  const [macAddress = ''] = machine.macAddresses;
  const portUuid = '0f9a4d31-8f0b-44a2-b3d3-5b2f1d0a7a01';
  // Firmware that boots by PXE would find nothing.
  await dhcp?.apply('0f9a4d31-8f0b-44a2-b3d3-5b2f1d0a7a00', [
    { portUuid, macAddress, bootFiles: { 'http-x86_64': `${httpUrl}/snponly.efi` } },
  ]);
  const configurationFiles = [`${segment.directory}/dhcp/ironbark.conf`];
  await using server = await DhcpServer.start({ ...segment, configurationFiles });
  await machine.setBootOrder(['http']);
  const loaded = machine.serial.waitForLine(/iPXE \d.*Open Source Network Boot Firmware/, { timeoutMs: 120_000 });
  await machine.powerOn();
  expect(await loaded).toContain('ipxe.org');
  expect(await server.log()).toContain('vendor class: HTTPClient:Arch:00016');
});

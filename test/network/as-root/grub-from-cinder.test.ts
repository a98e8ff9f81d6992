import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultCacheDirectory, distributionInitramfs, guestFiles, guestRoot } from '@ironbark/lab';
import { startMachineSite } from '@ironbark/lab/conductor';
import { startOpenStack } from '@ironbark/lab/openstack';
import { expect, it, onTestFinished } from 'vitest';
import { OpenstackClient } from '../../end-to-end/openstack-client.ts';
import { bootTimeoutMs, enrollNode } from '../../end-to-end/volume-machine.ts';
import { cinderSettings } from '../../live/cinder-settings.ts';
import { inOrder } from '../occurrences.ts';
import { startSegment } from '../segment.ts';

// dracut looks its target up by discovery, so that the target has to announce the address that machines see.
it('a UEFI machine boots from a volume of Cinder by PXE, GRUB and dracut, from the first DHCP packet on', async () => {
  const cache = defaultCacheDirectory();
  const [guest, initramfs] = [await guestFiles(cache), await distributionInitramfs('dracut', cache)];
  const { network } = await startSegment();
  await using cinder = await startOpenStack({ network });
  const volume = await cinder.createVolume({ name: 'root', image: guest.disk });
  const site = await startMachineSite({
    firmware: 'uefi',
    boot: 'pxe',
    network,
    cinder: cinderSettings(cinder.details),
    grub: { kernel_append_params: 'console=ttyS0' },
    images: { file_directories: [guest.directory, dirname(initramfs)] },
  });
  onTestFinished(() => site.stop());
  const openstack = new OpenstackClient(site.conductor.url);
  const nodeUuid = await enrollNode(site, openstack, 'cinder');
  await openstack.baremetal(
    ['node', 'set', '--instance-info', `image_rootfs_label=${guestRoot.label}`],
    ['--instance-info', 'initramfs_type=dracut'],
    ['--instance-info', `kernel=${pathToFileURL(guest.kernel).href}`],
    ['--instance-info', `ramdisk=${pathToFileURL(initramfs).href}`, nodeUuid],
  );
  await openstack.baremetal(
    ['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi'],
    ['--boot-index', '0', '--volume-id', volume.id],
  );
  const { serial } = site.machine.machine;
  const up = serial.waitForLine(/IRONBARK-GUEST (?:ROOT-OK|FAIL)/, { timeoutMs: bootTimeoutMs });
  await openstack.baremetal('node', 'deploy', '--wait', '120', nodeUuid);
  const target = `iqn.2010-10.org.openstack:volume-${volume.id}`;
  expect(await up).toContain(
    `session=${target} sessions=1 targets=${target} initiator=iqn.2017-08.org.openstack.${nodeUuid}`,
  );
  const stages = [
    'vendor class: PXEClient:Arch:00007',
    'bootfile-name  grubx64.efi',
    '/grubx64.efi to 198.51.100.',
    '/grub/grub.cfg-01-52-54-00-12-34-56 to 198.51.100.',
    `/${nodeUuid}/kernel to 198.51.100.`,
    `/${nodeUuid}/ramdisk to 198.51.100.`,
  ];
  expect(inOrder((await site.dhcp?.log()) ?? '', stages)).toEqual(stages);
  await openstack.baremetal('node', 'undeploy', '--wait', '120', nodeUuid);
  expect(await cinder.leaks()).toEqual([]);
});

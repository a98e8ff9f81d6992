import { guestRoot } from '@ironbark/lab';
import { requestLease } from '@ironbark/lab/network';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { GrubSite } from '../grub-site.ts';
import { inOrder } from '../occurrences.ts';

/** What GRUB's script, shells and systemd would take for syntax. */
const hostile = ['evil.shell=$HOME;${PATH}{}|&#%~`id`$(id)', 'evil.glob=*?[a-z]<>()!^@,:+'];
const appended = `console=ttyS0 ${hostile.join(' ')} evil.blank="a b"`;
/** GRUB puts the quotes around the whole parameter, which is the same to the kernel. */
const arrived = `ro console=ttyS0 ${hostile.join(' ')} "evil.blank=a b" root=`;

let grub: GrubSite;

beforeAll(async () => {
  grub = await GrubSite.start();
});

afterAll(() => grub?.stop());

const rootOn = (volume: string): string => {
  const target = `iqn.2010-10.org.openstack:volume-${volume}`;
  return `session=${target} sessions=1 targets=${target} initiator=iqn.2017-08.org.openstack.${grub.nodeUuid}`;
};

const images = { complete: '', withoutKernel: '', withoutRoot: '', withHostileLabel: '' };

interface Case {
  readonly storage?: string;
  readonly capabilities?: string;
  readonly image?: keyof typeof images;
  readonly more?: readonly string[];
}

const capabilities = 'boot_mode:uefi,iscsi_boot:True';
const append = (parameters: string) => ['--instance-info', `kernel_append_params=${parameters}`];

describe('a deployment', () => {
  beforeAll(async () => {
    const { cloud, openstack, nodeUuid } = grub;
    const create = async (name: string, properties: Readonly<Record<string, string>> = {}): Promise<string> =>
      (await cloud.images.create({ name, content: new Uint8Array(1), properties })).id;
    const kernel = { kernel_id: await create('kernel'), ramdisk_id: await create('ramdisk') };
    images.complete = await create('complete', { ...kernel, rootfs_label: guestRoot.label });
    images.withoutKernel = await create('without-kernel', { rootfs_label: guestRoot.label });
    images.withoutRoot = await create('without-root', kernel);
    images.withHostileLabel = await create('hostile', { ...kernel, rootfs_label: "root' init=/bin/sh '" });
    const { id } = await cloud.createVolume({ name: 'root-2' });
    const properties = {
      target_portal: '198.51.100.1:3260',
      target_iqn: 'iqn.2010-10.com.example:vol-x',
      target_lun: 1,
    };
    await openstack.baremetal(
      ['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi', '--boot-index', '0', '--volume-id', id],
      Object.entries(properties).flatMap(([name, value]) => ['--property', `${name}=${value}`]),
    );
  });

  afterAll(async () => {
    const { openstack } = grub;
    const [target] = await openstack.json<{ UUID: string }[]>('volume', 'target', 'list');
    await openstack.baremetal('volume', 'target', 'delete', target?.UUID ?? '');
  });

  it.each([
    [
      'of an external volume',
      { storage: 'external' },
      /external volumes have no image that it could describe\..*Use the storage interface cinder/s,
    ],
    [
      'of a machine in BIOS mode',
      { capabilities: 'boot_mode:bios,iscsi_boot:True' },
      /legacy BIOS mode, and its boot interface pxe boots by UEFI only\..*boot_mode:uefi/s,
    ],
    [
      'of an image without a kernel',
      { image: 'withoutKernel' },
      /kernel of node .* is not known\..* kernel_id and ramdisk_id/s,
    ],
    [
      'of an image whose root is not told',
      { image: 'withoutRoot' },
      /root file system .* is not known\..* rootfs_uuid or rootfs_label/s,
    ],
    [
      'of an image whose root is none',
      { image: 'withHostileLabel' },
      /property rootfs_label of image .* cannot be a kernel parameter/s,
    ],
    [
      'with a single quote for the kernel',
      { more: append("evil.quote='") },
      /kernel parameter evil\.quote of instance_info\.kernel_append_params .* single quote/s,
    ],
    [
      'with half of a quotation for the kernel',
      { more: append('evil.quote="a b') },
      /instance_info\.kernel_append_params .* double quote/s,
    ],
    [
      'with a backslash for the kernel',
      { more: append('evil.escape=\\$') },
      /kernel parameter evil\.escape of instance_info\.kernel_append_params .* backslash/s,
    ],
    [
      'with a control character for the kernel',
      { more: append('evil.control=\u0001') },
      /kernel parameter evil\.control of instance_info\.kernel_append_params .* printable ASCII/s,
    ],
  ] as const satisfies readonly [string, Case, RegExp][])(
    '%s is refused with what to change',
    async (_title, change: Case, reason) => {
      const { openstack, nodeUuid } = grub;
      await openstack.baremetal(
        ['node', 'set', '--boot-interface', 'pxe', '--storage-interface', change.storage ?? 'cinder'],
        ['--property', `capabilities=${change.capabilities ?? capabilities}`],
        ['--instance-info', `image_source=${images[change.image ?? 'complete']}`],
        [...(change.more ?? append('quiet')), nodeUuid],
      );
      const results = await openstack.json<{ Result: boolean; Reason: string }[]>('node', 'validate', nodeUuid);
      const refusals = results.filter(({ Result }) => !Result).map(({ Reason }) => Reason);
      expect(refusals.join('\n')).toMatch(reason);
      await expect(openstack.baremetal('node', 'deploy', nodeUuid)).rejects.toThrow(reason);
    },
  );
});

it('a machine boots from a volume that was made of an image, from the first DHCP packet on, by initramfs-tools', async () => {
  const { openstack, nodeUuid, macAddress, cloud, site } = grub;
  const image = await grub.uploadSystem('initramfs-tools', { rootfs_label: guestRoot.label });
  const volume = await grub.createVolume(image);
  const unpublished = await grub.published();
  await grub.describeNode(image, volume, '--instance-info', `kernel_append_params=${appended}`);
  const up = grub.booted();
  await openstack.baremetal('node', 'deploy', '--wait', '300', nodeUuid);
  const first = await up;
  expect(first.root).toContain(rootOn(volume));
  expect(first.commandLine).toContain(`${arrived}LABEL=${guestRoot.label} ip=dhcp rd.neednet=1 `);
  expect(first.commandLine).toContain(` rd.iscsi.username=${first.chapUser} `);
  expect(first.commandLine).toContain(` iscsi_username=${first.chapUser} `);
  expect(inOrder((await site.dhcp?.log()) ?? '', stages())).toEqual(stages());
  expect(await openstack.json('node', 'show', nodeUuid)).toMatchObject({
    deploy_interface: 'volume',
    instance_info: { boot_option: 'netboot', image_source: image },
  });

  expect(await grub.published()).toContain(`tftp/${nodeUuid}/config`);
  const [, password = 'none'] = / iscsi_password=(\S+)/.exec(first.commandLine) ?? [];
  expect(await grub.configuration()).toContain(password);
  expect(site.conductor.log).not.toContain(password);

  await grub.power('off');
  expect(await cloud.leaks()).toEqual([]);
  await cloud.glance?.stop();
  onTestFinished(async () => cloud.glance?.start());
  const upAgain = grub.booted();
  await grub.power('on');
  const second = await upAgain;
  expect(second.root).toContain(rootOn(volume));
  expect(second.chapUser).not.toBe(first.chapUser);
  expect(await grub.configuration()).toContain(`'iscsi_username=${second.chapUser}'`);
  expect(await grub.configuration()).not.toContain(first.chapUser);

  await openstack.baremetal('node', 'undeploy', '--wait', '300', nodeUuid);
  expect(await cloud.leaks()).toEqual([]);
  expect(await cloud.volume(volume)).toMatchObject({ status: 'available', attachments: [] });
  const gone = `dhcp/hosts/${macAddress.replaceAll(':', '-')}`;
  expect(await grub.published()).toEqual([...unpublished, gone].sort());
  const card = await grub.network.addCard();
  const lease = async () => requestLease({ card, macAddress, architecture: 7 });
  await expect.poll(async () => (await lease()).bootFile, { timeout: 10_000 }).toBeUndefined();
}, 600_000);

it('a machine boots from a volume that was made of an image by dracut', async () => {
  const { openstack, nodeUuid, cloud } = grub;
  const image = await grub.uploadSystem('dracut', { rootfs_uuid: guestRoot.uuid, initramfs_type: 'dracut' });
  const volume = await grub.createVolume(image);
  await grub.describeNode(image, volume, '--instance-info', `kernel_append_params=${appended}`);
  const up = grub.booted();
  await openstack.baremetal('node', 'deploy', '--wait', '300', nodeUuid);
  const { root, commandLine, chapUser } = await up;
  expect(root).toContain(rootOn(volume));
  expect(commandLine).toContain(`${arrived}UUID=${guestRoot.uuid} ip=dhcp rd.neednet=1 `);
  expect(commandLine).toContain(` rd.iscsi.username=${chapUser} `);
  expect(commandLine).not.toContain(' iscsi_');
  await openstack.baremetal('node', 'undeploy', '--wait', '300', nodeUuid);
  expect(await cloud.leaks()).toEqual([]);
});

function stages(): readonly string[] {
  const { macAddress, nodeUuid } = grub;
  return [
    'vendor class: PXEClient:Arch:00007',
    'bootfile-name  grubx64.efi',
    '/grubx64.efi to 198.51.100.',
    `/grub/grub.cfg-01-${macAddress.replaceAll(':', '-')} to 198.51.100.`,
    `/${nodeUuid}/kernel to 198.51.100.`,
    `/${nodeUuid}/ramdisk to 198.51.100.`,
  ];
}

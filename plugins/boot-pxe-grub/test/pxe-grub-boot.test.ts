import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  parseIscsi,
  Secret,
  type BootSource,
  type Info,
  type IscsiBoot,
  type ServedSystem,
  type Task,
} from '@ironbark/core';
import {
  createDriver,
  createIscsiProperties,
  createNodeRecords,
  createPort,
  createTask,
  fixedUuid,
  MemoryStorage,
  type NodeRecords,
} from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { openSite, type Site } from './site.ts';

const instanceInfo = {
  kernel: 'http://192.0.2.9/vmlinuz',
  ramdisk: 'http://192.0.2.9/initrd',
  image_rootfs_label: 'cloudimg-rootfs',
};
const records = withNode({ instanceInfo });
const { uuid } = records.node;
const image = { kind: 'url', url: 'http://192.0.2.9/image' } as const;
const system: ServedSystem = { kernel: image, ramdisk: image, root: 'UUID=6e7f3a4c', initramfsType: 'dracut' };
const twoPortals = { target_portals: ['192.0.2.7:3260', '192.0.2.8:3260'] };
const ramdiskBoot: BootSource = { kind: 'ramdisk', kernel: image, ramdisk: image, parameters: ['ipa-debug=1'] };

function withNode(changes: Partial<NodeRecords['node']>): NodeRecords {
  const given = createNodeRecords({ volumes: 1 });
  return { ...given, node: { ...given.node, ...changes } };
}

function iscsiBoot(properties: Info = {}, changes: Partial<ServedSystem> = {}): IscsiBoot {
  const connection = parseIscsi(createIscsiProperties(properties), 'volume target 0');
  return {
    kind: 'iscsi',
    initiatorIqn: 'iqn.2017-08.org.example:n',
    volume: { targetUuid: 'target-0', volumeId: 'volume-0', connection },
    extraVolumes: [],
    system: { ...system, ...changes },
  };
}

function taskOf(site: Site, changes: Partial<NodeRecords & Pick<Task, 'driver'>> = {}): Task {
  const driver = createDriver({ boot: site.boot, storage: new MemoryStorage() });
  return createTask({ ...records, driver, ...changes });
}

function configOf(site: Site, source: BootSource, task: Task = taskOf(site)): string {
  return site.boot.render(task, { source, reportUrl: null }).files[0]?.content.reveal() ?? '';
}

describe('render', () => {
  it('puts the configuration into the TFTP root, with the names under which GRUB looks for it', async () => {
    const site = await openSite();
    const ports = [
      createPort({ address: 'aa:bb:cc:dd:ee:01' }),
      createPort({ uuid: fixedUuid(2, 1), address: 'aa:bb:cc:dd:ee:02', pxeEnabled: false }),
    ];
    const artifacts = site.boot.render(taskOf(site, { ports }), { source: iscsiBoot(), reportUrl: null });
    expect(artifacts.files.map(({ root, path }) => `${root} ${path}`)).toEqual([`tftp ${uuid}/config`]);
    const target = `${uuid}/config`;
    expect(artifacts.links).toEqual([
      { root: 'tftp', path: 'grub/grub.cfg-01-aa-bb-cc-dd-ee-01', target },
      { root: 'tftp', path: 'grub.cfg-01-aa-bb-cc-dd-ee-01', target },
      { root: 'tftp', path: 'aa:bb:cc:dd:ee:01.conf', target },
    ]);
    expect(artifacts.dhcp).toEqual([
      {
        portUuid: ports[0]?.uuid,
        macAddress: 'aa:bb:cc:dd:ee:01',
        bootFiles: { 'uefi-x86_64': 'grubx64.efi', 'uefi-arm64': 'grubaa64.efi' },
      },
    ]);
  });

  it.each([
    ['tftp', '(tftp)'],
    ['http', '(http,192.0.2.1:8080)'],
  ])('lets GRUB fetch kernel and ramdisk by %s', async (transport, device) => {
    const site = await openSite({ grub: { kernel_transport: transport } });
    const { files, images } = site.boot.render(taskOf(site), { source: iscsiBoot(), reportUrl: null });
    expect(images).toEqual([
      { root: transport, path: `${uuid}/kernel`, image },
      { root: transport, path: `${uuid}/ramdisk`, image },
    ]);
    expect(files[0]?.content.reveal()).toContain(`linux '${device}/${uuid}/kernel'`);
    expect(files[0]?.content.reveal()).toContain(`initrd '${device}/${uuid}/ramdisk'`);
  });

  it('tells the kernel of a volume where its root is and how to log in', async () => {
    const site = await openSite({ grub: { kernel_append_params: 'console=ttyS0 x="a b"', menu_timeout: 0 } });
    const config = configOf(site, iscsiBoot({ auth_username: 'user', auth_password: Secret.of('secret') }));
    expect(config).toContain(
      "'ro' 'console=ttyS0' 'x=a b' 'root=UUID=6e7f3a4c' 'ip=dhcp' 'rd.neednet=1' 'rd.iscsi.initiator=iqn.2017-08.org.example:n' 'rd.iscsi.username=user' 'rd.iscsi.password=secret' 'netroot=iscsi:",
    );
    expect(config).toContain("set default='boot_iscsi'\nset timeout='0'");
  });

  it.each([
    ['dracut', true, false],
    ['initramfs-tools', false, true],
    [null, true, true],
  ] as const)('writes the parameters for a ramdisk of type %s', async (initramfsType, dracut, debian) => {
    const config = configOf(await openSite(), iscsiBoot({}, { initramfsType }));
    expect(config.includes('netroot=')).toBe(dracut);
    expect(config.includes('iscsi_target_name=')).toBe(debian);
  });

  it('leaves the network to the parameters of the node when they configure it', async () => {
    const site = await openSite();
    const { node } = withNode({
      instanceInfo: { ...instanceInfo, kernel_append_params: '%default% ip=eth1:dhcp ip=eth2:dhcp' },
    });
    const config = configOf(site, iscsiBoot(), taskOf(site, { node }));
    expect(config.match(/'ip=[^']*'/g)).toEqual(["'ip=eth1:dhcp'", "'ip=eth2:dhcp'"]);
    expect(config).toContain("'nofb' 'vga=normal' 'ip=eth1:dhcp'");
    expect(config).not.toContain('BOOTIF');
  });

  it('has the portal group of a target that is not 1 told by the parameters of the node', async () => {
    const site = await openSite();
    const { node } = withNode({ instanceInfo: { ...instanceInfo, kernel_append_params: 'iscsi_target_group=1000' } });
    const config = configOf(site, iscsiBoot({}, { initramfsType: 'initramfs-tools' }), taskOf(site, { node }));
    expect(config.match(/iscsi_target_group=[^']*/g)).toEqual(['iscsi_target_group=1000']);
  });

  it.each([
    ['the one path', {}, null, true],
    ['the first of two paths, which initramfs-tools uses', twoPortals, 'initramfs-tools', true],
    ['two paths, which dracut reaches through several cards', twoPortals, 'dracut', false],
    ['two paths with an unknown ramdisk', twoPortals, null, false],
  ] as const)('names the card that it booted from for %s', async (_, properties, initramfsType, isNamed) => {
    const config = configOf(await openSite(), iscsiBoot(properties, { initramfsType }));
    expect(config.includes('"BOOTIF=01-${net_default_mac}"')).toBe(isNamed);
  });

  it('names no card when the node names one', async () => {
    const site = await openSite();
    const { node } = withNode({
      instanceInfo: { ...instanceInfo, kernel_append_params: 'BOOTIF=01-52-54-00-00-00-09' },
    });
    expect(configOf(site, iscsiBoot(), taskOf(site, { node }))).not.toContain('net_default_mac');
  });

  it.each([
    ['a name', 'storage.example:3260', '', [expect.stringMatching(/portal storage\.example .*resolver/)]],
    ['an IPv6 address', '[2001:db8::1]:3260', '', [expect.stringMatching(/portal 2001:db8::1 .*ip=auto6/)]],
    ['an IPv6 address, with a network of its own', '[2001:db8::1]:3260', 'ip=auto6', []],
    ['an IPv4 address', '192.0.2.7:3260', '', []],
  ])(
    'warns when the portal is %s, as far as ramdisks may not reach it',
    async (_, target_portal, parameters, expected) => {
      const site = await openSite();
      const { node } = withNode({ instanceInfo: { ...instanceInfo, kernel_append_params: parameters } });
      const { warnings } = site.boot.render(taskOf(site, { node }), {
        source: iscsiBoot({ target_portal }),
        reportUrl: null,
      });
      expect(warnings.filter((warning) => warning.includes('The portal'))).toEqual(expected);
    },
  );

  it('starts a ramdisk with its parameters and the network card', async () => {
    const site = await openSite();
    const { node } = withNode({ instanceInfo: { ramdisk_kernel_arguments: 'a=b' } });
    const config = configOf(site, ramdiskBoot, taskOf(site, { node }));
    expect(config).toContain("menuentry 'boot_ramdisk'");
    expect(config).toContain(
      `'root=/dev/ram0' 'text' 'nofb' 'vga=normal' 'a=b' 'ipa-debug=1' "BOOTIF=01-\${net_default_mac}"`,
    );
  });

  it('warns of credentials that others can read', async () => {
    const site = await openSite();
    const warnings = (source: BootSource) => site.boot.render(taskOf(site), { source, reportUrl: null }).warnings;
    expect(warnings(iscsiBoot({ auth_username: 'user', auth_password: Secret.of('secret') }))).toEqual([
      expect.stringMatching(/CHAP credentials of volume target target-0 .*\/proc\/cmdline/),
    ]);
    const { auth_method: _method, auth_username: _user, auth_password: _password, ...open } = createIscsiProperties();
    const connection = parseIscsi(open, 'volume target 0');
    const source = iscsiBoot();
    expect(warnings({ ...source, volume: { ...source.volume, connection } })).toEqual([]);
  });

  it('starts the boot loader of a local system', async () => {
    const site = await openSite();
    const { files, bootDevice } = site.boot.render(taskOf(site), { source: { kind: 'local_disk' }, reportUrl: null });
    expect(files[0]?.content.reveal()).toMatch(/chainloader [^]*\nexit 1\n$/);
    expect(bootDevice).toBe('disk');
  });

  it('writes nothing for a machine whose adapter presents the volume', async () => {
    const site = await openSite();
    const artifacts = site.boot.render(taskOf(site), { source: { kind: 'hba' }, reportUrl: null });
    expect(artifacts).toEqual({ files: [], links: [], bootDevice: 'disk', warnings: [] });
  });

  it('refuses a volume without a kernel of its image', async () => {
    const site = await openSite();
    const render = () => configOf(site, { ...iscsiBoot(), system: null });
    expect(render).toThrow(
      expect.objectContaining({ code: 'MISSING_PARAMETER', hint: expect.stringContaining('kernel_id') as unknown }),
    );
  });

  it('refuses a port that GRUB cannot be started from', async () => {
    const site = await openSite();
    const ports = [createPort({ address: Array.from({ length: 20 }, () => 'aa').join(':') })];
    expect(() => configOf(site, iscsiBoot(), taskOf(site, { ports }))).toThrow(`The address of port ${ports[0]?.uuid}`);
  });
});

describe('validate', () => {
  it('warns of CHAP before anything is attached', async () => {
    const site = await openSite();
    expect(await site.boot.validate(taskOf(site))).toEqual([expect.stringContaining('CHAP credentials')]);
  });

  it.each([
    ['kernel', { ...instanceInfo, kernel: null }, 'kernel_id'],
    ['ramdisk', { ...instanceInfo, ramdisk: null }, 'ramdisk_id'],
    ['root file system', { ...instanceInfo, image_rootfs_label: null }, 'image_rootfs_uuid'],
  ])('needs the %s of the image and says what to set', async (what, info, hint) => {
    const site = await openSite();
    const { node } = withNode({ instanceInfo: info });
    const refused = site.boot.validate(taskOf(site, { node }));
    await expect(refused).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      message: expect.stringContaining(what) as unknown,
      hint: expect.stringContaining(hint) as unknown,
    });
  });

  it('takes them from the properties of the image', async () => {
    const imageProperties = { kernel_id: fixedUuid(6, 1), ramdisk_id: fixedUuid(6, 2), rootfs_uuid: '6e7f3a4c' };
    const site = await openSite({ imageProperties });
    const { node } = withNode({ instanceInfo: { image_source: fixedUuid(6, 0) } });
    await expect(site.boot.validate(taskOf(site, { node }))).resolves.toHaveLength(1);
  });

  it('refuses a password that the kernel command line cannot hold, without quoting it', async () => {
    const site = await openSite();
    const properties = createIscsiProperties({ auth_password: Secret.of('Geheim 7') });
    const volumeTargets = records.volumeTargets.map((target) => ({ ...target, properties }));
    const refused = site.boot.validate(taskOf(site, { volumeTargets }));
    await expect(refused).rejects.toThrow(`auth_password of volume target ${volumeTargets[0]?.uuid}`);
    await expect(refused).rejects.not.toThrow('Geheim');
  });

  it('needs the URL of the boot files only for kernels by HTTP', async () => {
    await expect(
      openSite({ netboot: {} }).then(async (site) => site.boot.validate(taskOf(site))),
    ).resolves.toHaveLength(1);
    const site = await openSite({ netboot: {}, grub: { kernel_transport: 'http' } });
    await expect(site.boot.validate(taskOf(site))).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: expect.stringContaining('settings.netboot.http_url') as unknown,
    });
  });

  it('refuses a URL of the boot files that GRUB cannot fetch from', async () => {
    const site = await openSite({ netboot: { http_url: 'https://192.0.2.1' }, grub: { kernel_transport: 'http' } });
    await expect(site.boot.validate(taskOf(site))).rejects.toThrow('URL of the boot files');
  });

  it.each([
    ['a parameter of the node', {}, { kernel_append_params: "a='b" }, 'kernel_append_params'],
    ['a parameter that GRUB cannot write', {}, { kernel_append_params: 'a=b\\c' }, 'kernel parameter a'],
    ['the URL of the boot files', { grub: { kernel_transport: 'http' }, netboot: {} }, {}, 'URL of the boot files'],
  ])('refuses %s while the connection of the volume is not known', async (_, options, info, message) => {
    const site = await openSite(options);
    const { node } = withNode({ instanceInfo: { ...instanceInfo, ...info } });
    const storage = new MemoryStorage();
    storage.plan = async () => ({ calls: [], volumes: [], warnings: [] });
    const driver = createDriver({ boot: site.boot, storage });
    await expect(site.boot.validate(taskOf(site, { node, driver }))).rejects.toThrow(message);
  });

  it('asks nothing of a machine whose adapter finds the volume', async () => {
    const site = await openSite();
    const { node } = withNode({ instanceInfo: {}, properties: { capabilities: 'hba_boot:True' } });
    await expect(site.boot.validate(taskOf(site, { node, ports: [] }))).resolves.toEqual([]);
  });

  it('refuses legacy BIOS by name', async () => {
    const site = await openSite();
    const { node } = withNode({ instanceInfo, properties: { capabilities: 'iscsi_boot:True,boot_mode:bios' } });
    await expect(site.boot.validate(taskOf(site, { node }))).rejects.toThrow(/bios/i);
  });
});

describe('apply', () => {
  it('puts kernel, ramdisk and configuration where the names of the network card lead', async () => {
    const images = new Map([['http://192.0.2.9/image', new TextEncoder().encode('bytes')]]);
    const site = await openSite({ images });
    const task = taskOf(site);
    await site.boot.apply(task, site.boot.render(task, { source: iscsiBoot(), reportUrl: null }));
    const address = records.ports[0]?.address ?? '';
    const link = join(site.tftp, 'grub', `grub.cfg-01-${address.replaceAll(':', '-')}`);
    expect(await readlink(link)).toBe(`../${uuid}/config`);
    expect(await readFile(link, 'utf8')).toContain("set default='boot_iscsi'");
    expect(await readFile(join(site.tftp, uuid, 'kernel'), 'utf8')).toBe('bytes');
    await site.boot.cleanUp(task);
    const left = await readdir(site.tftp, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => !entry.isDirectory())).toEqual([]);
  });
});

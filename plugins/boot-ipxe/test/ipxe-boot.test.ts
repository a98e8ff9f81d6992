import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  parseIscsi,
  Secret,
  type BootRequest,
  type BootSource,
  type ImageReference,
  type Info,
  type IscsiBoot,
  type Node,
  type Task,
} from '@ironbark/core';
import {
  createDriver,
  createIscsiProperties,
  createNodeRecords,
  createPort,
  createTask,
  fixedUuid,
  MemoryJournal,
  type NodeRecords,
} from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { openSite, type Site } from './site.ts';

const records = createNodeRecords({ volumes: 1 });
const { uuid } = records.node;
const image = (name: string): ImageReference => ({ kind: 'url', url: `http://192.0.2.9/${name}` });
const ramdiskSource = { kind: 'ramdisk', kernel: image('k'), ramdisk: image('r'), parameters: [] } as const;
const nfsSource: BootSource = {
  kind: 'nfs',
  kernel: image('k'),
  ramdisk: image('r'),
  connection: { kind: 'nfs', server: '192.0.2.3', path: '/exports/root', options: ['vers=4.2'] },
};
const localDisk: BootRequest = { source: { kind: 'local_disk' }, reportUrl: null };

function iscsiRequest(...properties: readonly Info[]): BootRequest {
  const [volume, ...extraVolumes] = properties.map((one, number) => {
    const connection = parseIscsi(createIscsiProperties(one), `volume target ${number}`);
    return { targetUuid: `target-${number}`, volumeId: `volume-${number}`, connection };
  }) as [IscsiBoot['volume'], ...IscsiBoot['extraVolumes']];
  return {
    source: { kind: 'iscsi', initiatorIqn: 'iqn.2017-08.org.example:n', volume, extraVolumes, system: null },
    reportUrl: null,
  };
}

/** A task whose storage knows the connections of the targets in advance and, by default, boots from them. */
function taskOf(site: Site, changes: Partial<NodeRecords & Task> = {}, writesImage = false): Task {
  const task = createTask({ ...records, ...changes });
  const volumes = task.volumeTargets.map((target) => {
    return { target, connection: parseIscsi(target.properties, `volume target ${target.uuid}`) };
  });
  const storage = {
    ...createDriver().storage,
    shouldWriteImage: () => writesImage,
    plan: async () => ({ calls: [], volumes, warnings: [] }),
  };
  return { ...task, driver: createDriver({ boot: site.boot, storage }) };
}

async function applied(site: Site, task: Task, request: BootRequest = localDisk) {
  await site.boot.apply(task, site.boot.render(task, request));
}

async function namesOf(site: Site): Promise<readonly string[]> {
  return (await readdir(site.http, { recursive: true })).sort();
}

describe('IpxeBoot', () => {
  it('declares what it can boot', async () => {
    const { boot } = await openSite();
    const capabilities = [
      'iscsi_volume_boot',
      'fibre_channel_volume_boot',
      'nfs_volume_boot',
      'ramdisk_boot',
      'iso_boot',
      'ipxe_boot',
      'pxe_boot',
    ];
    expect(boot.capabilities).toEqual(capabilities);
    expect((await openSite({ method: 'uefihttp' })).boot.capabilities).toEqual([...capabilities, 'uefi_only']);
  });
});

describe('render', () => {
  it('puts the script into the directory of the node, with three links for each PXE-enabled port', async () => {
    const site = await openSite();
    const ports = [
      createPort({ address: 'aa:bb:cc:dd:ee:01' }),
      createPort({ uuid: fixedUuid(2, 1), address: 'aa:bb:cc:dd:ee:02', pxeEnabled: false }),
    ];
    const { files, links } = site.boot.render(taskOf(site, { ports }), localDisk);
    expect(files.map(({ root, path }) => `${root} ${path}`)).toEqual([`http ${uuid}/config`]);
    const target = `${uuid}/config`;
    expect(links).toEqual([
      { root: 'http', path: 'pxelinux.cfg/aa-bb-cc-dd-ee-01', target },
      { root: 'http', path: 'grub.cfg-01-aa-bb-cc-dd-ee-01', target },
      { root: 'http', path: 'aa:bb:cc:dd:ee:01.conf', target },
    ]);
  });

  it.each([
    ['pxe', 'an iSCSI volume', iscsiRequest({}).source],
    ['pxe', 'a ramdisk', ramdiskSource],
    ['pxe', 'an NFS root', nfsSource],
    ['pxe', 'an ISO image', { kind: 'iso', image: image('i') }],
    ['disk', 'a local disk', { kind: 'local_disk' }],
    ['disk', 'the adapter of the machine', { kind: 'hba' }],
  ] as const)('asks for the boot device %s for %s', async (device, _, source) => {
    const site = await openSite();
    expect(site.boot.render(taskOf(site), { source, reportUrl: null }).bootDevice).toBe(device);
  });

  it('serves nothing to a machine whose adapter presents the volume', async () => {
    const site = await openSite();
    const artifacts = site.boot.render(taskOf(site), { source: { kind: 'hba' }, reportUrl: null });
    expect(artifacts).toEqual({ files: [], links: [], bootDevice: 'disk', warnings: [] });
  });

  it('writes the volume of the administrator guide', async () => {
    const site = await openSite({ ipxe: { attempts: 3, retry_delay: 7, reboot_delay: 9 } });
    const request = iscsiRequest({
      target_iqn: 'iqn.2010-10.com.example:vol-X',
      target_lun: 0,
      target_portal: '192.168.0.123:3260',
      auth_username: 'ABC',
      auth_password: Secret.of('XYZ'),
    });
    const script = site.boot.render(taskOf(site), request).files[0]?.content.reveal();
    expect(script?.split('\n')).toEqual(
      expect.arrayContaining([
        'set attempts:int32 3',
        'set initiator-iqn iqn.2017-08.org.example:n',
        'set username ABC',
        'set password XYZ',
        'sanhook --drive 0x80 iscsi:192.168.0.123::3260:0:iqn.2010-10.com.example:vol-X || goto fail_iscsi',
        'inc delay 7',
        'sleep 9 ||',
      ]),
    );
  });

  /** The script, and where its images are to be. */
  async function served(source: BootSource, node: Partial<Node> = {}, ipxe: object = {}) {
    const site = await openSite({ ipxe });
    const task = taskOf(site, { node: { ...records.node, ...node } });
    const { files, images = [] } = site.boot.render(task, { source, reportUrl: null });
    return { script: files[0]?.content.reveal(), images };
  }

  const kernelLine = /kernel --name kernel --timeout 60000 (.*) BOOTIF=/;
  const urls = `http://192.0.2.1:8080/${uuid}`;

  it('serves the images of a ramdisk from the directory of the node', async () => {
    const { script, images } = await served(ramdiskSource);
    expect(images).toEqual([
      { root: 'http', path: `${uuid}/kernel`, image: image('k') },
      { root: 'http', path: `${uuid}/ramdisk`, image: image('r') },
    ]);
    expect(kernelLine.exec(script ?? '')?.[1]).toBe(`${urls}/kernel root=/dev/ram0 text nofb vga=normal`);
    expect(script).toContain(`initrd --name ramdisk --timeout 60000 ${urls}/ramdisk `);
  });

  it('gives a ramdisk the parameters of the settings, of the instance, and of the source, in this order', async () => {
    const source = { ...ramdiskSource, parameters: ['x=y'] };
    const instanceInfo = { ramdisk_kernel_arguments: 'ipa-debug=1 motd="two words"' };
    const { script } = await served(source, { instanceInfo }, { kernel_append_params: 'console=ttyS1  quiet' });
    expect(kernelLine.exec(script ?? '')?.[1]).toBe(
      `${urls}/kernel root=/dev/ram0 text console=ttyS1 quiet ipa-debug=1 motd="two words" x=y`,
    );
  });

  it('gives a kernel that mounts its root by NFS the export', async () => {
    const { script } = await served(nfsSource);
    expect(kernelLine.exec(script ?? '')?.[1]).toBe(
      `${urls}/kernel root=/dev/nfs nfsroot=192.0.2.3:/exports/root,vers=4.2 ip=dhcp nofb vga=normal`,
    );
  });

  it.each<[string, Partial<Node>, string]>([
    ['of the driver', { driverInfo: { kernel_append_params: 'driver' } }, 'driver'],
    [
      'of the instance before those of the driver',
      { driverInfo: { kernel_append_params: 'driver' }, instanceInfo: { kernel_append_params: 'instance' } },
      'instance',
    ],
    ['of the settings where the node says so', { driverInfo: { kernel_append_params: 'a %default% b' } }, 'a site b'],
  ])('takes the parameters %s', async (_, node, expected) => {
    const { script } = await served(ramdiskSource, node, { kernel_append_params: 'site' });
    expect(script).toContain(` root=/dev/ram0 text ${expected} BOOTIF=`);
  });

  it('serves an ISO image from the directory of the node', async () => {
    const { script, images } = await served({ kind: 'iso', image: image('i') });
    expect(images).toEqual([{ root: 'http', path: `${uuid}/boot.iso`, image: image('i') }]);
    expect(script).toContain(`sanboot --no-describe --drive 0x80 ${urls}/boot.iso ||`);
  });

  it('writes a Fibre Channel volume as iPXE names it', async () => {
    const { script } = await served({
      kind: 'fibre_channel',
      volume: {
        targetUuid: 't',
        volumeId: 'v',
        connection: {
          kind: 'fibre_channel',
          paths: [{ initiatorWwpn: null, targetWwpn: '500a098280feeba5', lun: 18 }],
        },
      },
      extraVolumes: [],
    });
    expect(script).toContain(' fcp:50:0a:09:82:80:fe:eb:a5:0012-0000-0000-0000 ||');
  });

  it('warns of the iBFT of BIOS machines only when the machine may be one', async () => {
    const site = await openSite();
    const request = iscsiRequest({ auth_username: 'u'.repeat(200) });
    const warningsOf = (node: Partial<Node>) => {
      return site.boot.render(taskOf(site, { node: { ...records.node, ...node } }), request).warnings;
    };
    expect(warningsOf({})).toEqual([expect.stringContaining('BIOS')]);
    expect(warningsOf({ bootMode: 'uefi' })).toEqual([]);
    expect(warningsOf({ properties: { capabilities: 'boot_mode:uefi' } })).toEqual([]);
  });

  it('names the boot file of each PXE-enabled network card for every kind of firmware', async () => {
    const site = await openSite({ ipxe: { loaders: { 'uefi-arm64': 'arm64/snponly.efi' } } });
    const infiniBand = Array.from({ length: 20 }, () => 'aa').join(':');
    const ports = [
      createPort({ address: 'aa:bb:cc:dd:ee:01' }),
      createPort({ uuid: fixedUuid(2, 1), address: 'aa:bb:cc:dd:ee:02', pxeEnabled: false }),
      createPort({ uuid: fixedUuid(2, 2), address: infiniBand }),
    ];
    expect(site.boot.render(taskOf(site, { ports }), iscsiRequest({})).dhcp).toEqual([
      {
        portUuid: fixedUuid(2),
        macAddress: 'aa:bb:cc:dd:ee:01',
        bootFiles: {
          ipxe: 'http://192.0.2.1:8080/boot.ipxe',
          bios: 'undionly.kpxe',
          'uefi-x86_64': 'snponly.efi',
          'uefi-arm64': 'arm64/snponly.efi',
          'http-x86_64': 'http://192.0.2.1:8080/snponly.efi',
          'http-arm64': 'http://192.0.2.1:8080/arm64/snponly.efi',
        },
      },
    ]);
  });

  it('adds the deploy ramdisk to an iSCSI script when it is configured', async () => {
    const site = await openSite({ ipxe: { deploy_kernel: 'http://a/k', deploy_ramdisk: 'http://a/r' } });
    const script = site.boot.render(taskOf(site), iscsiRequest({})).files[0]?.content.reveal();
    expect(script).toMatch(/\n:deploy\n[^]*http:\/\/a\/k selinux=0/);
    expect(script).toContain('\ngoto boot_iscsi\n');
  });

  it('touches nothing', async () => {
    const site = await openSite();
    site.boot.render(taskOf(site), iscsiRequest({}));
    expect(await namesOf(site)).toEqual([]);
  });
});

describe('UEFI HTTP boot', () => {
  async function artifactsFor(node: Partial<Node>, source: BootSource, loaders: object = {}) {
    const site = await openSite({ method: 'uefihttp', ipxe: { loaders } });
    const task = taskOf(site, { node: { ...records.node, ...node } });
    return site.boot.render(task, { source, reportUrl: null });
  }

  it.each([
    [undefined, 'http://192.0.2.1:8080/snponly.efi'],
    ['x86_64', 'http://192.0.2.1:8080/snponly.efi'],
    ['aarch64', 'http://192.0.2.1:8080/arm64.efi'],
  ])('points a machine with the processor %s at %s', async (arch, url) => {
    const properties = arch === undefined ? {} : { cpu_arch: arch };
    const artifacts = await artifactsFor({ properties }, iscsiRequest({}).source, { 'uefi-arm64': 'arm64.efi' });
    expect(artifacts).toMatchObject({ bootDevice: 'uefihttp', httpBootUrl: url });
  });

  it('needs an iPXE for the processor', async () => {
    const refused = artifactsFor({ properties: { cpu_arch: 'aarch64' } }, iscsiRequest({}).source);
    await expect(refused).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: expect.stringContaining('settings.ipxe.loaders.uefi-arm64') as unknown,
    });
  });

  it('leaves a machine that boots from its disk alone', async () => {
    expect(await artifactsFor({}, { kind: 'local_disk' })).toMatchObject({ bootDevice: 'disk', httpBootUrl: null });
  });

  it('tells by a warning that the loader is not where the firmware fetches it', async () => {
    const site = await openSite({ method: 'uefihttp' });
    expect(await site.boot.validate(taskOf(site))).toEqual([expect.stringContaining('snponly.efi')]);
    await writeFile(join(site.http, 'snponly.efi'), '');
    expect(await site.boot.validate(taskOf(site))).toEqual([]);
  });
});

describe('validate', () => {
  it('needs the URL of the boot files', async () => {
    const site = await openSite({ netboot: {} });
    await expect(site.boot.validate(taskOf(site))).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: expect.stringContaining('settings.netboot.http_url') as unknown,
    });
  });

  it('needs nothing of a machine whose own adapter reaches the volume', async () => {
    const site = await openSite({ netboot: {} });
    const node = { ...records.node, properties: { capabilities: 'hba_boot:True' } };
    await expect(site.boot.validate(taskOf(site, { node, ports: [] }))).resolves.toEqual([]);
  });

  it('refuses a value of a volume that iPXE would interpret, by its field', async () => {
    const site = await openSite();
    const properties = createIscsiProperties({ auth_password: Secret.of('Geheim || shell') });
    const volumeTargets = records.volumeTargets.map((target) => ({ ...target, properties }));
    const refused = site.boot.validate(taskOf(site, { volumeTargets }));
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    await expect(refused).rejects.toThrow(`auth_password of volume target ${volumeTargets[0]?.uuid}`);
  });

  it('refuses a boot volume without the capability iscsi_boot', async () => {
    const site = await openSite();
    const task = taskOf(site, { node: { ...records.node, properties: {} } });
    await expect(site.boot.validate(task)).rejects.toThrow('iscsi_boot');
  });

  it('says nothing of a volume whose connection is known only when it is attached', async () => {
    const site = await openSite();
    const task = taskOf(site);
    const storage = { ...task.driver.storage, plan: async () => ({ calls: [], volumes: [], warnings: [] }) };
    await expect(site.boot.validate({ ...task, driver: { ...task.driver, storage } })).resolves.toEqual([]);
  });

  it('looks up what an instance asks to boot, and says what it lacks', async () => {
    const node = {
      ...records.node,
      properties: { capabilities: 'nfs_boot:True' },
      instanceInfo: { nfs_root: '192.0.2.3:/exports/root', kernel: 'http://192.0.2.9/k' },
    };
    const site = await openSite();
    const half = taskOf(site, { node, volumeTargets: [] });
    await expect(site.boot.validate(half)).rejects.toThrow('The ramdisk of node');
    const instanceInfo = { ...node.instanceInfo, ramdisk: 'http://192.0.2.9/r' };
    const whole = taskOf(site, { node: { ...node, instanceInfo }, volumeTargets: [] });
    await expect(site.boot.validate(whole)).resolves.toEqual([]);
  });

  it.each(['a="b', 'a=${b}', 'a || b'])('refuses kernel parameters %j of the node by their field', async (text) => {
    const node = {
      ...records.node,
      properties: { capabilities: 'nfs_boot:True' },
      driverInfo: { kernel_append_params: text },
      instanceInfo: { nfs_root: '192.0.2.3:/exports/root', kernel: 'http://a/k', ramdisk: 'http://a/r' },
    };
    const site = await openSite();
    const refused = site.boot.validate(taskOf(site, { node, volumeTargets: [] }));
    await expect(refused).rejects.toThrow('driver_info.kernel_append_params');
  });

  it('looks at no volume when an image is written to the local disk', async () => {
    const site = await openSite();
    const task = taskOf(site, { node: { ...records.node, properties: {} } }, true);
    await expect(site.boot.validate(task)).resolves.toEqual([]);
  });

  it('tells of volumes that the operating system will not see', async () => {
    const site = await openSite();
    const { volumeTargets } = createNodeRecords({ volumes: 3 });
    expect(await site.boot.validate(taskOf(site, { volumeTargets }))).toEqual([
      expect.stringMatching(new RegExp(`${volumeTargets[2]?.volumeId}.*iBFT`)),
    ]);
  });
});

describe('apply', () => {
  it('leads the MAC address of a machine to its script, and writes nothing else', async () => {
    const site = await openSite();
    const task = taskOf(site);
    await applied(site, task, iscsiRequest({}));
    const mac = task.ports[0]?.address.replaceAll(':', '-') ?? '';
    expect(await readFile(join(site.http, 'pxelinux.cfg', mac), 'utf8')).toMatch(/^#!ipxe\n/);
    expect(await readlink(join(site.http, 'pxelinux.cfg', mac))).toBe(`../${uuid}/config`);
    expect(await namesOf(site)).toHaveLength(3 + 3 * task.ports.length);
  });

  it('notes every link before it makes it', async () => {
    const site = await openSite();
    const existed: boolean[] = [];
    const journal = new MemoryJournal(() => void existed.push(existsSync(join(site.http, 'pxelinux.cfg'))));
    const task = taskOf(site, { journal });
    await applied(site, task);
    expect(existed).toEqual([false]);
    expect(journal.notes().get('links')).toHaveLength(3 * task.ports.length);
  });

  it('writes the journal once for any number of equal deployments', async () => {
    const site = await openSite();
    let writes = 0;
    const task = taskOf(site, { journal: new MemoryJournal(() => void writes++) });
    await applied(site, task, iscsiRequest({}));
    await applied(site, task, iscsiRequest({ target_lun: 7 }));
    expect(writes).toBe(1);
  });

  it('makes no link when the lock is lost', async () => {
    const site = await openSite();
    const journal = new MemoryJournal();
    journal.loseLock();
    await expect(applied(site, taskOf(site, { journal }))).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(await namesOf(site)).toEqual([]);
  });

  it('forgets the link of a port that is gone only after it was removed', async () => {
    const site = await openSite();
    const journal = new MemoryJournal();
    await applied(site, taskOf(site, { journal }));
    const ports = records.ports.slice(1);
    await applied(site, taskOf(site, { journal, ports }));
    expect(journal.notes().get('links')).toHaveLength(3);
    expect(await readdir(join(site.http, 'pxelinux.cfg'))).toEqual([ports[0]?.address.replaceAll(':', '-')]);
  });
});

describe('cleanUp', () => {
  it('removes a link that was noted although the conductor died before it wrote the script', async () => {
    const site = await openSite();
    const journal = new MemoryJournal();
    await applied(site, taskOf(site, { journal }));
    await site.netboot.tree.remove(uuid, []);
    await site.boot.cleanUp(taskOf(site, { journal, ports: [] }));
    expect(await readdir(join(site.http, 'pxelinux.cfg'))).toEqual([]);
    expect(journal.notes().size).toBe(0);
  });

  it('leaves the link of a port that moved to another node', async () => {
    const site = await openSite();
    const journal = new MemoryJournal();
    await applied(site, taskOf(site, { journal }));
    const other = createNodeRecords({ number: 1 });
    const ports = records.ports.map((port) => createPort({ ...port, nodeUuid: other.node.uuid }));
    await applied(site, taskOf(site, { ...other, ports }));
    await site.boot.cleanUp(taskOf(site, { journal, ports: [] }));
    const mac = ports[0]?.address.replaceAll(':', '-') ?? '';
    expect(await readlink(join(site.http, 'pxelinux.cfg', mac))).toBe(`../${other.node.uuid}/config`);
  });
});

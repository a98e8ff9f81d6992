import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIscsi, Secret, type BootRequest, type Info, type IscsiBoot, type Task } from '@ironbark/core';
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
const localDisk: BootRequest = { source: { kind: 'local_disk' }, reportUrl: null };

function iscsiRequest(...properties: readonly Info[]): BootRequest {
  const [volume, ...extraVolumes] = properties.map((one, number) => {
    const connection = parseIscsi(createIscsiProperties(one), `volume target ${number}`);
    return { targetUuid: `target-${number}`, volumeId: `volume-${number}`, connection };
  }) as [IscsiBoot['volume'], ...IscsiBoot['extraVolumes']];
  return {
    source: { kind: 'iscsi', initiatorIqn: 'iqn.2017-08.org.example:n', volume, extraVolumes },
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
    expect(boot.capabilities).toEqual(['iscsi_volume_boot', 'ipxe_boot', 'pxe_boot', 'ramdisk_boot']);
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
    ['pxe', 'a ramdisk', { kind: 'ramdisk', kernelUrl: 'http://a/k', ramdiskUrl: 'http://a/r', parameters: [] }],
    ['disk', 'a local disk', { kind: 'local_disk' }],
    ['disk', 'the adapter of the machine', { kind: 'hba' }],
  ] as const)('asks for the boot device %s for %s', async (device, _, source) => {
    const site = await openSite();
    expect(site.boot.render(taskOf(site), { source, reportUrl: null }).bootDevice).toBe(device);
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

  it('puts the configured parameters in front of those of a ramdisk', async () => {
    const site = await openSite({ ipxe: { kernel_append_params: 'console=ttyS1  quiet' } });
    const source = { kind: 'ramdisk', kernelUrl: 'http://a/k', ramdiskUrl: 'http://a/r', parameters: ['x=y'] } as const;
    const script = site.boot.render(taskOf(site), { source, reportUrl: null }).files[0]?.content.reveal();
    expect(script).toContain('http://a/k selinux=0 troubleshoot=0 text console=ttyS1 quiet x=y BOOTIF=');
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

describe('validate', () => {
  it('needs the URL of the boot files', async () => {
    const site = await openSite({ netboot: {} });
    await expect(site.boot.validate(taskOf(site))).rejects.toMatchObject({
      code: 'MISSING_PARAMETER',
      hint: expect.stringContaining('settings.netboot.http_url') as unknown,
    });
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

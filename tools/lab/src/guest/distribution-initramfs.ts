import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../child-process.ts';
import { buildOnce } from './build-once.ts';
import { findKernel } from './kernel.ts';

/** Debian's initramfs-tools, or dracut as it is used by Fedora, RHEL and others. */
export type InitramfsGenerator = 'initramfs-tools' | 'dracut';

interface Recipe {
  /** Debian packages that the image is made of. */
  readonly packages: readonly string[];
  readonly expectedSeconds: number;
  build(kernelVersion: string, image: string, work: string): Promise<void>;
}

const recipes: Readonly<Record<InitramfsGenerator, Recipe>> = {
  'initramfs-tools': {
    packages: ['initramfs-tools-core', 'open-iscsi', 'klibc-utils', 'busybox-static'],
    expectedSeconds: 10,
    build: buildWithInitramfsTools,
  },
  dracut: {
    packages: ['dracut-core', 'dracut-network', 'open-iscsi', 'nfs-common', 'isc-dhcp-client', 'systemd', 'udev'],
    expectedSeconds: 30,
    build: buildWithDracut,
  },
};

const buildTimeoutMs = 600_000;

/**
 * Returns the path of an initramfs as a distribution builds it, with root on iSCSI and on NFS, for the kernel of the guest. Built
 * once for each version of the kernel and of the packages, and kept in `cacheDirectory`; needs root, as the generators read
 * files of the host that only root may. Says on standard error that it builds.
 * @throws LAB_PACKAGE_MISSING, LAB_COMMAND_FAILED
 */
export async function distributionInitramfs(generator: InitramfsGenerator, cacheDirectory: string): Promise<string> {
  const kernel = await findKernel();
  const recipe = recipes[generator];
  const directory = join(cacheDirectory, `${generator}-${kernel.version}-${await fingerprint(recipe)}`);
  await buildOnce(directory, async (work) => {
    const began = Date.now();
    console.error(`Building an initramfs with ${generator}, about ${recipe.expectedSeconds} s…`);
    const image = join(work, 'initrd.img');
    const temporary = join(work, 'temporary');
    await mkdir(temporary);
    await recipe.build(kernel.version, image, temporary);
    await chmod(image, 0o644);
    await rm(temporary, { recursive: true });
    console.error(`Built it in ${Math.round((Date.now() - began) / 1000)} s.`);
  });
  return join(directory, 'initrd.img');
}

/** With a configuration of its own: that of the host may say anything. */
async function buildWithInitramfsTools(kernelVersion: string, image: string, work: string): Promise<void> {
  const configuration = join(work, 'configuration');
  const folders = ['conf.d', 'hooks', 'scripts'].map((name) => join(configuration, name));
  await Promise.all(folders.map((path) => mkdir(path, { recursive: true })));
  const settings = [
    'MODULES=most',
    'BUSYBOX=auto',
    'KEYMAP=n',
    'COMPRESS=gzip',
    'DEVICE=',
    'NFSROOT=auto',
    'FSTYPE=auto',
  ];
  await writeFile(join(configuration, 'initramfs.conf'), `${settings.join('\n')}\nRUNSIZE=10%\n`);
  await writeFile(join(configuration, 'modules'), '');
  const options = { env: { TMPDIR: work }, timeoutMs: buildTimeoutMs };
  await run('mkinitramfs', ['-d', configuration, '-o', image, kernelVersion], options);
}

async function buildWithDracut(kernelVersion: string, image: string, work: string): Promise<void> {
  const configuration = join(work, 'configuration');
  await mkdir(configuration);
  const lists = {
    add: 'iscsi network-legacy nfs rootfs-block',
    omit: 'plymouth i18n lvm mdraid dm dmraid crypt btrfs multipath cifs fcoe fcoe-uefi nbd nvmf lunmask drm bluetooth',
    'add-drivers': 'virtio_net virtio_blk virtio_pci iscsi_tcp iscsi_ibft ext4 crc32c_generic',
    // Debian's iscsid.service runs this script before it starts, and dracut 059 does not know that.
    install: '/lib/open-iscsi/startup-checks.sh /usr/bin/grep',
  };
  const generic = ['--no-hostonly', '--no-hostonly-cmdline', '--no-early-microcode', '--nomdadmconf', '--nolvmconf'];
  const own = ['--conf', '/dev/null', '--confdir', configuration, '--tmpdir', work];
  const selection = Object.entries(lists).flatMap(([name, value]) => [`--${name}`, value]);
  const args = ['--force', '--quiet', '--gzip', ...generic, ...own, ...selection, '--kver', kernelVersion, image];
  await run('dracut', args, { timeoutMs: buildTimeoutMs });
}

async function fingerprint({ packages }: Recipe): Promise<string> {
  const versions = await run('dpkg-query', ['--show', '--showformat', '${Package} ${Version}\n', ...packages]);
  const source = await readFile(fileURLToPath(import.meta.url));
  return createHash('sha256').update(versions).update(source).digest('hex').slice(0, 16);
}

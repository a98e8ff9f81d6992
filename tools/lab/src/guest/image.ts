import {
  constants,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { run } from '../child-process.ts';
import { buildBootArea, grubDirectory, partitionOffsetBytes } from './boot-loader.ts';
import { packCpio, type CpioEntry } from './cpio.ts';
import { findKernel, moduleEntries, programEntries, type Kernel } from './kernel.ts';
import { busyboxCommands, initramfsInit, powerButton, volumeInit } from './scripts.ts';

const busybox = '/bin/busybox';
const iscsistart = '/usr/sbin/iscsistart';
const imageBytes = 40 * 1024 * 1024;
const modules = ['virtio_pci', 'virtio_net', 'sd_mod', 'iscsi_tcp', 'iscsi_ibft', 'evdev', 'button'];
const kernelArguments = 'console=ttyS0 quiet mitigations=off random.trust_cpu=on audit=0 no_timer_check';
const grubScript = `linux /boot/vmlinuz ${kernelArguments}\ninitrd /boot/initrd.img\nboot\n`;

/**
 * Returns the path of a bootable disk image: GRUB for BIOS, kernel, and an ext4 root that starts only from an iSCSI volume which
 * the firmware described in an iBFT. Built once for each kernel and version of these sources and kept in `cacheDirectory`;
 * processes that build at the same time do not disturb each other. Never boot it in place: take a copy with `copyImage`.
 * @throws LAB_PACKAGE_MISSING, LAB_COMMAND_FAILED
 */
export async function guestImage(cacheDirectory: string): Promise<string> {
  const kernel = await findKernel();
  const directory = join(cacheDirectory, `guest-${kernel.version}-${await fingerprint(kernel)}`);
  const image = join(directory, 'disk.img');
  if (await exists(image)) return image;
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(cacheDirectory, '.building-'));
  try {
    await build(kernel, work);
    await rename(work, directory).catch(async (error: unknown) => {
      // Another process finished first, and its image is as good.
      if (!(await exists(image))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return image;
}

/** Copies an image: at once where the file system shares blocks, else without its holes. */
export async function copyImage(source: string, destination: string): Promise<void> {
  try {
    await copyFile(source, destination, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await run('cp', ['--sparse=always', source, destination]);
  }
}

async function build(kernel: Kernel, work: string): Promise<void> {
  const root = join(work, 'root');
  await writeRoot(root, kernel);
  const image = join(work, 'disk.img');
  const boot = await buildBootArea(work, grubScript, imageBytes);
  const file = await open(image, 'w');
  try {
    await file.truncate(imageBytes);
    await file.write(boot, 0, boot.length, 0);
  } finally {
    await file.close();
  }
  // GRUB 2.06 reads none of the features that newer mke2fs switches on.
  const features = '^has_journal,^metadata_csum,^metadata_csum_seed,^64bit,^orphan_file,^resize_inode';
  const extended = `offset=${partitionOffsetBytes},root_owner=0:0,hash_seed=00000000-0000-0000-0000-000000000001`;
  const blocks = `${(imageBytes - partitionOffsetBytes) / 1024}k`;
  const options = ['-q', '-F', '-m', '0', '-b', '4096', '-L', 'ironbark', '-O', features, '-E', extended, '-d', root];
  await run('mke2fs', ['-t', 'ext4', ...options, image, blocks]);
  const leftovers = ['root', 'grub.cfg', 'core.img'].map((name) => join(work, name));
  await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
}

async function writeRoot(root: string, kernel: Kernel): Promise<void> {
  const directories = ['bin', 'boot', 'dev', 'etc/acpi/PWRF', 'proc', 'run', 'sbin', 'sys'];
  await Promise.all(directories.map((path) => mkdir(join(root, path), { recursive: true })));
  await copyFile(busybox, join(root, 'bin/busybox'));
  await Promise.all(busyboxCommands.map((name) => symlink('busybox', join(root, 'bin', name))));
  await Promise.all([
    writeFile(join(root, 'sbin/init'), volumeInit, { mode: 0o755 }),
    writeFile(join(root, 'etc/acpi/PWRF/00000080'), powerButton, { mode: 0o755 }),
    writeFile(join(root, 'etc/os-release'), 'NAME="Ironbark lab guest"\nID=ironbark-guest\n'),
    copyFile(kernel.path, join(root, 'boot/vmlinuz')),
    initramfs(kernel).then((content) => writeFile(join(root, 'boot/initrd.img'), content)),
  ]);
}

async function initramfs(kernel: Kernel): Promise<Buffer> {
  const directories = [
    'bin',
    'dev',
    'etc',
    'etc/iscsi',
    'proc',
    'root',
    'run',
    'sys',
    'var',
    'var/lib',
    'var/lib/iscsi',
  ];
  const entries: CpioEntry[] = [
    ...directories.map((path): CpioEntry => ({ path, kind: 'directory' })),
    { path: 'init', kind: 'file', content: Buffer.from(initramfsInit), executable: true },
    { path: 'bin/busybox', kind: 'file', content: await readFile(busybox), executable: true },
    ...busyboxCommands.map((name): CpioEntry => ({ path: `bin/${name}`, kind: 'link', target: 'busybox' })),
    { path: 'bin/iscsistart', kind: 'link', target: iscsistart },
    ...withParents(await programEntries(iscsistart)),
    ...(await moduleEntries(kernel, modules)),
  ];
  return gzipSync(packCpio(entries), { level: 9 });
}

function withParents(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const parents = new Set<string>();
  for (const { path } of entries) {
    const parts = dirname(path).split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) parents.add(parts.slice(0, depth).join('/'));
  }
  return [...[...parents].map((path): CpioEntry => ({ path, kind: 'directory' })), ...entries];
}

/** Names what the image is made of: the sources in this folder and the programs that go into it. */
async function fingerprint(kernel: Kernel): Promise<string> {
  const hash = createHash('sha256');
  const here = dirname(fileURLToPath(import.meta.url));
  const sources = (await readdir(here)).filter((name) => /\.[jt]s$/.test(name)).sort();
  for (const name of sources) hash.update(await readFile(join(here, name)));
  for (const path of [kernel.path, busybox, iscsistart, join(grubDirectory, 'boot.img')]) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

import {
  constants,
  copyFile,
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../child-process.ts';
import { buildBootAreas, partitionOffsetBytes } from './boot-loader.ts';
import { buildOnce } from './build-once.ts';
import { grubDirectories, makeGrub } from './grub.ts';
import { busybox, packInitramfs, powerButtonPath } from './initramfs.ts';
import { makeIso } from './iso.ts';
import { findKernel, moduleEntries, type Kernel } from './kernel.ts';
import { busyboxCommands, initramfsInit, powerButton, residentInit, rootInit } from './scripts.ts';

/** What the root file system of the disk image is known by. */
export const guestRoot = { label: 'ironbark', uuid: '6e0e1b6a-52c1-4f58-9d3f-6f2a7b0c4d11' };

/** Paths of what machines of the lab boot; all of it is shared with other processes and must not be changed. */
export interface GuestFiles {
  /** Of all the others. */
  readonly directory: string;
  /** A disk image that boots by BIOS and by UEFI; machines get copies of it, by {@link copyImage}. */
  readonly disk: string;
  /** The root file system of the disk alone: a partition image. */
  readonly partition: string;
  readonly kernel: string;
  /** An initramfs that is a whole system: it prints its kernel command line. */
  readonly ramdisk: string;
  /** The same on a CD for BIOS and UEFI. */
  readonly iso: string;
  /** Root directory to be exported by NFS. */
  readonly nfsRoot: string;
  /** GRUB for UEFI, to be loaded over the network: it goes on with what is in /grub of the server that it came from. */
  readonly networkLoader: string;
}

const iscsistart = '/usr/sbin/iscsistart';
const rootBytes = 39 * 1024 * 1024;
const powerButtonModules = ['evdev', 'button'];
const volumeModules = [
  'virtio_pci',
  'virtio_net',
  'virtio_blk',
  'sd_mod',
  'iscsi_tcp',
  'iscsi_ibft',
  ...powerButtonModules,
];
const kernelArguments = 'console=ttyS0 quiet mitigations=off random.trust_cpu=on audit=0 no_timer_check';
const grubScript = `linux /boot/vmlinuz ${kernelArguments}\ninitrd /boot/initrd.img\nboot\n`;
const networkModules = [
  [
    'normal',
    'configfile',
    'minicmd',
    'efinet',
    'net',
    'tftp',
    'http',
    'linux',
    'chain',
    'boot',
    'reboot',
    'halt',
    'sleep',
  ],
  ['echo', 'test', 'true', 'regexp', 'serial', 'terminal', 'search', 'part_gpt', 'part_msdos', 'fat', 'ext2'],
].flat();

/**
 * Builds what machines boot, once for each kernel and version of these sources, and keeps it in `cacheDirectory`.
 * @throws LAB_PACKAGE_MISSING, LAB_COMMAND_FAILED
 */
export async function guestFiles(cacheDirectory: string): Promise<GuestFiles> {
  const kernel = await findKernel();
  const directory = join(cacheDirectory, `guest-${kernel.version}-${await fingerprint(kernel)}`);
  await buildOnce(directory, async (work) => build(kernel, work));
  return paths(directory);
}

/** Path of {@link GuestFiles.disk}, whose root starts from an iSCSI volume that an iBFT describes, or from a local disk. */
export async function guestImage(cacheDirectory: string): Promise<string> {
  return (await guestFiles(cacheDirectory)).disk;
}

/** Copies an image: at once where the file system shares blocks, else without its holes. */
export async function copyImage(source: string, destination: string): Promise<void> {
  try {
    await copyFile(source, destination, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await run('cp', ['--sparse=always', source, destination]);
  }
}

function paths(directory: string): GuestFiles {
  return {
    directory,
    kernel: join(directory, 'vmlinuz'),
    disk: join(directory, 'disk.img'),
    partition: join(directory, 'partition.img'),
    ramdisk: join(directory, 'ramdisk.img'),
    iso: join(directory, 'boot.iso'),
    nfsRoot: join(directory, 'root'),
    networkLoader: join(directory, 'grubx64.efi'),
  };
}

async function build(kernel: Kernel, directory: string): Promise<void> {
  const files = paths(directory);
  const work = join(directory, 'work');
  await mkdir(work);
  await copyFile(kernel.path, files.kernel);
  await writeRoot(files.nfsRoot, kernel);
  await makeDisk(files.disk, files.nfsRoot, kernel, work);
  await copyPartition(files.disk, files.partition);
  const resident = { kernel, modules: powerButtonModules, programs: [] };
  await writeFile(files.ramdisk, await packInitramfs({ ...resident, init: residentInit('RAMDISK') }));
  const initramfs = await packInitramfs({ ...resident, init: residentInit('ISO') });
  await makeIso(files.iso, work, { kernel: kernel.path, initramfs, kernelArguments });
  await makeGrub(files.networkLoader, { platform: 'x86_64-efi', prefix: '/grub', modules: networkModules });
  await rm(work, { recursive: true });
}

async function makeDisk(path: string, root: string, kernel: Kernel, work: string): Promise<void> {
  const tree = join(work, 'root');
  await cp(root, tree, { recursive: true, verbatimSymlinks: true });
  await copyFile(kernel.path, join(tree, 'boot/vmlinuz'));
  const initramfs = { kernel, init: initramfsInit, modules: volumeModules, programs: [iscsistart] };
  await writeFile(join(tree, 'boot/initrd.img'), await packInitramfs(initramfs));
  const boot = await buildBootAreas(work, grubScript, rootBytes);
  const efiOffsetBytes = partitionOffsetBytes + rootBytes;
  const file = await open(path, 'w');
  try {
    await file.truncate(efiOffsetBytes + boot.efiPartition.length);
    await file.write(boot.head, 0, boot.head.length, 0);
    await file.write(boot.efiPartition, 0, boot.efiPartition.length, efiOffsetBytes);
  } finally {
    await file.close();
  }
  // GRUB 2.06 reads none of the features that newer mke2fs switches on.
  const features = '^has_journal,^metadata_csum,^metadata_csum_seed,^64bit,^orphan_file,^resize_inode';
  const extended = `offset=${partitionOffsetBytes},root_owner=0:0,hash_seed=00000000-0000-0000-0000-000000000001`;
  const names = ['-L', guestRoot.label, '-U', guestRoot.uuid];
  const options = ['-q', '-F', '-m', '0', '-b', '4096', ...names, '-O', features, '-E', extended, '-d', tree];
  await run('mke2fs', ['-t', 'ext4', ...options, path, `${rootBytes / 1024}k`]);
}

async function copyPartition(disk: string, path: string): Promise<void> {
  const range = ['iflag=skip_bytes,count_bytes', `skip=${partitionOffsetBytes}`, `count=${rootBytes}`];
  await run('dd', [`if=${disk}`, `of=${path}`, 'bs=64K', 'conv=sparse', ...range]);
}

async function writeRoot(root: string, kernel: Kernel): Promise<void> {
  const directories = ['bin', 'boot', 'dev', dirname(powerButtonPath), 'modules', 'proc', 'run', 'sbin', 'sys'];
  await Promise.all(directories.map((path) => mkdir(join(root, path), { recursive: true })));
  await copyFile(busybox, join(root, 'bin/busybox'));
  await Promise.all(busyboxCommands.map((name) => symlink('busybox', join(root, 'bin', name))));
  await Promise.all([
    writeFile(join(root, 'sbin/init'), rootInit, { mode: 0o755 }),
    writeFile(join(root, powerButtonPath), powerButton, { mode: 0o755 }),
    writeFile(join(root, 'etc/os-release'), 'NAME="Ironbark lab guest"\nID=ironbark-guest\n'),
  ]);
  for (const entry of await moduleEntries(kernel, powerButtonModules)) {
    if (entry.kind === 'file') await writeFile(join(root, entry.path), entry.content);
  }
}

/** Names what the files are made of: the sources in this folder and the programs that go into them. */
async function fingerprint(kernel: Kernel): Promise<string> {
  const hash = createHash('sha256');
  const here = dirname(fileURLToPath(import.meta.url));
  const sources = (await readdir(here)).filter((name) => /\.[jt]s$/.test(name)).sort();
  for (const name of sources) hash.update(await readFile(join(here, name)));
  const loaders = Object.values(grubDirectories).map((directory) => join(directory, 'kernel.img'));
  for (const path of [kernel.path, busybox, iscsistart, ...loaders]) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

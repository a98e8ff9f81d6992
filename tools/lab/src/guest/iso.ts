import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../child-process.ts';
import { makeEfiPartition } from './efi-partition.ts';
import { makeGrub } from './grub.ts';

const label = 'IRONBARK';
const modules = ['iso9660', 'search', 'search_label', 'linux'];

export interface IsoContents {
  readonly kernel: string;
  readonly initramfs: Buffer;
  readonly kernelArguments: string;
}

/** Makes a CD image with El Torito entries for BIOS and UEFI. Works in `directory`. @throws LAB_COMMAND_FAILED */
export async function makeIso(path: string, directory: string, contents: IsoContents): Promise<void> {
  const tree = join(directory, 'iso');
  await mkdir(join(tree, 'boot'), { recursive: true });
  await copyFile(contents.kernel, join(tree, 'boot/vmlinuz'));
  await writeFile(join(tree, 'boot/initrd.img'), contents.initramfs);
  // By its label: iPXE gives a CD that it fetches over the network the number of a hard disk.
  const script = [
    `search --no-floppy --set=root --label ${label}`,
    `linux /boot/vmlinuz ${contents.kernelArguments}`,
    'initrd /boot/initrd.img',
    'boot\n',
  ].join('\n');
  const [biosLoader, uefiLoader] = [join(tree, 'boot/eltorito.img'), join(directory, 'iso.efi')];
  const prefix = '/boot/grub';
  await makeGrub(biosLoader, { platform: 'i386-pc-eltorito', prefix, modules: ['biosdisk', ...modules], script });
  await makeGrub(uefiLoader, { platform: 'x86_64-efi', prefix, modules: ['part_msdos', ...modules], script });
  await makeEfiPartition(join(tree, 'boot/efi.img'), uefiLoader);
  const bios = ['-b', 'boot/eltorito.img', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
  const uefi = ['-eltorito-alt-boot', '-e', 'boot/efi.img', '-no-emul-boot'];
  await run('xorriso', ['-as', 'mkisofs', '-quiet', '-R', '-V', label, '-o', path, ...bios, ...uefi, tree]);
  await rm(tree, { recursive: true });
}

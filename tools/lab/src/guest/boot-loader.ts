import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../child-process.ts';

const sectorBytes = 512;
const firstPartitionSector = 2048;
const linuxPartition = 0x83;

/** Where the first partition of every lab image starts, in bytes. */
export const partitionOffsetBytes = firstPartitionSector * sectorBytes;

/** Where Debian's grub-pc-bin puts GRUB for BIOS. */
export const grubDirectory = '/usr/lib/grub/i386-pc';

// GRUB expands the partition against the drive that the BIOS booted, so the same image boots from any drive number.
const prefix = '(,msdos1)/boot/grub';
const modules = ['biosdisk', 'part_msdos', 'ext2', 'linux'];

/**
 * Makes the sectors before the first partition: master boot record with one active Linux partition and GRUB's core image
 * behind it, without grub-install, which would need root and a loop device.
 */
export async function buildBootArea(directory: string, grubScript: string, diskBytes: number): Promise<Buffer> {
  const script = join(directory, 'grub.cfg');
  const corePath = join(directory, 'core.img');
  await writeFile(script, grubScript);
  await run('grub-mkimage', [
    '-O',
    'i386-pc',
    '-d',
    grubDirectory,
    '-o',
    corePath,
    '-p',
    prefix,
    '-c',
    script,
    ...modules,
  ]);
  const area = Buffer.alloc(partitionOffsetBytes);
  masterBootRecord(await readFile(join(grubDirectory, 'boot.img')), diskBytes).copy(area);
  locateCore(await readFile(corePath)).copy(area, sectorBytes);
  return area;
}

/** boot.img (grub-core/boot/i386/pc/boot.S) holds the sector of the core image at 0x5c and a drive check at 0x66. */
function masterBootRecord(bootCode: Buffer, diskBytes: number): Buffer {
  const record = Buffer.alloc(sectorBytes);
  bootCode.copy(record, 0, 0, 440);
  record.writeBigUInt64LE(1n, 0x5c);
  // The check replaces floppy-like drive numbers by 0x80; two no-ops switch it off.
  record.fill(0x90, 0x66, 0x68);
  record.writeUInt8(0x80, 446);
  record.writeUInt8(linuxPartition, 450);
  // Cylinder, head and sector out of range: the sector numbers that follow count.
  record.fill(0xff, 447, 450);
  record.fill(0xff, 451, 454);
  record.writeUInt32LE(firstPartitionSector, 454);
  record.writeUInt32LE(diskBytes / sectorBytes - firstPartitionSector, 458);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

/** The first sector of the core image (diskboot.S) ends with the list of blocks where the rest is: start, count, segment. */
function locateCore(core: Buffer): Buffer {
  const sectors = Math.ceil(core.length / sectorBytes);
  core.writeBigUInt64LE(2n, 0x1f4);
  core.writeUInt16LE(sectors - 1, 0x1fc);
  core.writeUInt16LE(0x820, 0x1fe);
  return core;
}

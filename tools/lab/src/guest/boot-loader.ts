import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { efiPartitionBytes, makeEfiPartition } from './efi-partition.ts';
import { grubDirectories, makeGrub } from './grub.ts';

const sectorBytes = 512;
const firstPartitionSector = 2048;
const linuxPartition = 0x83;
const efiSystemPartition = 0xef;

/** Where the first partition of every lab image starts, in bytes. */
export const partitionOffsetBytes = firstPartitionSector * sectorBytes;

// GRUB expands the partition against the drive that the firmware booted, so the same image boots as any drive.
const prefix = '(,msdos1)/boot/grub';
const modules = ['part_msdos', 'ext2', 'linux'];

/** What makes a disk bootable: the sectors before the first partition, and the partition for UEFI behind it. */
export interface BootAreas {
  readonly head: Buffer;
  readonly efiPartition: Buffer;
}

/**
 * Makes the master boot record with GRUB's core image for BIOS behind it, without grub-install, which would need root and a loop
 * device, and a second partition with GRUB for UEFI.
 * @param rootBytes size of the first partition.
 */
export async function buildBootAreas(directory: string, script: string, rootBytes: number): Promise<BootAreas> {
  const corePath = join(directory, 'core.img');
  await makeGrub(corePath, { platform: 'i386-pc', prefix, modules: ['biosdisk', ...modules], script });
  const head = Buffer.alloc(partitionOffsetBytes);
  masterBootRecord(await readFile(join(grubDirectories.bios, 'boot.img')), rootBytes).copy(head);
  locateCore(await readFile(corePath)).copy(head, sectorBytes);
  const loader = join(directory, 'bootx64.efi');
  await makeGrub(loader, { platform: 'x86_64-efi', prefix, modules, script });
  const efiPath = join(directory, 'efi.img');
  await makeEfiPartition(efiPath, loader);
  return { head, efiPartition: await readFile(efiPath) };
}

/** boot.img (grub-core/boot/i386/pc/boot.S) holds the sector of the core image at 0x5c and a drive check at 0x66. */
function masterBootRecord(bootCode: Buffer, rootBytes: number): Buffer {
  const record = Buffer.alloc(sectorBytes);
  bootCode.copy(record, 0, 0, 440);
  record.writeBigUInt64LE(1n, 0x5c);
  // The check replaces floppy-like drive numbers by 0x80; two no-ops switch it off.
  record.fill(0x90, 0x66, 0x68);
  const rootSectors = rootBytes / sectorBytes;
  const efiStart = firstPartitionSector + rootSectors;
  partitionEntry(0x80, linuxPartition, firstPartitionSector, rootSectors).copy(record, 446);
  partitionEntry(0, efiSystemPartition, efiStart, efiPartitionBytes / sectorBytes).copy(record, 462);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

function partitionEntry(flags: number, type: number, start: number, sectors: number): Buffer {
  // Cylinder, head and sector out of range: the sector numbers that follow count.
  const entry = Buffer.alloc(16, 0xff);
  entry.writeUInt8(flags, 0);
  entry.writeUInt8(type, 4);
  entry.writeUInt32LE(start, 8);
  entry.writeUInt32LE(sectors, 12);
  return entry;
}

/** The first sector of the core image (diskboot.S) ends with the list of blocks where the rest is: start, count, segment. */
function locateCore(core: Buffer): Buffer {
  const sectors = Math.ceil(core.length / sectorBytes);
  core.writeBigUInt64LE(2n, 0x1f4);
  core.writeUInt16LE(sectors - 1, 0x1fc);
  core.writeUInt16LE(0x820, 0x1fe);
  return core;
}

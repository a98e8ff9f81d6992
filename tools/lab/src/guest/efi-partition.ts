import { truncate, writeFile } from 'node:fs/promises';
import { run } from '../child-process.ts';

const sectorBytes = 512;

/** Size of the file system that {@link makeEfiPartition} makes. */
export const efiPartitionBytes = 4 * 1024 * 1024;

/** Makes a FAT file system with a loader where UEFI looks for one on a medium that it does not know (UEFI section 3.5.1.1). */
export async function makeEfiPartition(path: string, loader: string): Promise<void> {
  await writeFile(path, '');
  await truncate(path, efiPartitionBytes);
  const sectors = String(efiPartitionBytes / sectorBytes);
  await run('mformat', ['-i', path, '-v', 'IRONBARKEFI', '-T', sectors, '-h', '16', '-s', '32', '::']);
  await run('mmd', ['-i', path, '::/EFI', '::/EFI/BOOT']);
  await run('mcopy', ['-i', path, loader, '::/EFI/BOOT/BOOTX64.EFI']);
}

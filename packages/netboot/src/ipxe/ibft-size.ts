import type { ChapCredentials } from '@ironbark/core';
import type { SanDrive } from './san-drive.ts';

/** Room for names and secrets, each with a NUL, in iPXE for BIOS: a table of 768 bytes whose fixed part takes 512. */
const stringBytes = 256;
/** A third entry needs more than what is left. */
const maxEntries = 2;

/**
 * Whether the iBFT that describes these drives fits into iPXE for BIOS. Measured to the byte with iPXE 1.0.0+git-20190125; the host
 * name that DHCP may give takes room too and is not known here.
 */
export function fitsBiosTable(initiatorIqn: string, drives: readonly SanDrive[]): boolean {
  const entries = drives.flatMap(({ tries: [paths = []], volume }) => {
    return paths.map((path) => [path.iqn, ...chapStrings(volume.connection.chap)]);
  });
  const bytes = [initiatorIqn, ...entries.flat()].reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
  return entries.length <= maxEntries && bytes <= stringBytes;
}

function chapStrings(chap: ChapCredentials | null): readonly string[] {
  return [chap, chap?.mutual].flatMap((pair) => (pair ? [pair.username, pair.password.reveal()] : []));
}

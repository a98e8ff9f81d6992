import type { BootVolume, IscsiConnection, IscsiPath } from '@ironbark/core';

/** A volume as the firmware is to hook it. */
export interface SanDrive {
  readonly volume: BootVolume<IscsiConnection>;
  /** As {@link driveNumber} writes it. */
  readonly drive: string;
  /** Paths to connect to, together within a try; a try is made when the one before it failed. Never empty. */
  readonly tries: readonly (readonly IscsiPath[])[];
  /** Whether the operating system is told of it in the iBFT. */
  readonly described: boolean;
}

const firstDrive = 0x80;
const lastDrive = 0xff;

export const maxDrives = lastDrive - firstDrive + 1;
/** iPXE keeps the words of a line on its small stack, and every dead path costs time. */
export const maxPaths = 8;

/** BIOS drive number as iPXE writes it: `0x80` for the boot volume (index 0), `0x81` for the next. */
export function driveNumber(index: number): string {
  return `0x${(firstDrive + index).toString(16)}`;
}

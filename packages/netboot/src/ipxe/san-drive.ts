import type { BootVolume, IscsiConnection, IscsiPath } from '@ironbark/core';

/** A volume as the firmware is to hook it. */
export interface SanDrive {
  readonly volume: BootVolume<IscsiConnection>;
  /** BIOS drive number as iPXE writes it: `0x80` for the boot volume, `0x81` for the next. */
  readonly drive: string;
  /** Paths to connect to, together within a try; a try is made when the one before it failed. Never empty. */
  readonly tries: readonly (readonly IscsiPath[])[];
  /** Whether the operating system is told of it in the iBFT. */
  readonly described: boolean;
}

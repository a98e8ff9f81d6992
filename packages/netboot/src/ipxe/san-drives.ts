import { invalidParameter, type BootMode, type BootVolume, type IscsiBoot, type IscsiConnection } from '@ironbark/core';
import { fitsBiosTable } from './ibft-size.ts';
import { driveNumber, maxDrives, maxPaths, type SanDrive } from './san-drive.ts';

export interface SanDrives {
  readonly boot: SanDrive;
  /** All that are described come first: hooking one describes all that are hooked before it. */
  readonly extras: readonly SanDrive[];
}

type SanSource = Omit<IscsiBoot, 'system'>;

export interface SanPlan {
  readonly wanted: SanDrives;
  /** For firmware that fails to describe all that; null when it would be the same. */
  readonly fallback: SanDrives | null;
  readonly warnings: readonly string[];
}

export interface SanOptions {
  /** Entries that the operating systems of the site accept in the iBFT, one for each path of a volume. */
  readonly ibftTargets: number;
  /** Whether all paths of a volume are connected together and announced, as far as there are entries. */
  readonly multipath: boolean;
  /** Null: not known. */
  readonly bootMode: BootMode | null;
}

/**
 * Decides over which paths the volumes are hooked and which of them the iBFT (iSCSI Boot Firmware Table) describes. iPXE writes one
 * entry for every path of a described drive, alive or not, and Linux rejects a table of more than two entries: it would lose its root.
 * An initiator that logs in to all entries (`iscsistart -b`) hangs on a dead one, so paths are tried one by one unless the site asks
 * for `multipath`. The boot volume gets the first entries, further volumes those that remain; the others are hooked for the boot
 * loader only.
 *
 * iPXE for BIOS has little room for the table, and when it is full there is none at all: the fallback describes the boot volume alone.
 */
export function planSanDrives(source: SanSource, options: SanOptions): SanPlan {
  if (source.extraVolumes.length >= maxDrives) {
    throw invalidParameter(
      `The node has ${source.extraVolumes.length + 1} iSCSI volumes; firmware knows ${maxDrives} drives.`,
    );
  }
  let free = options.ibftTargets;
  const [boot, ...extras] = [source.volume, ...source.extraVolumes].map((volume, index) => {
    const drive = sanDrive(volume, index, free, options.multipath);
    free -= drive.described ? entriesOf(drive) : 0;
    return drive;
  }) as [SanDrive, ...SanDrive[]];
  const wanted: SanDrives = { boot, extras };
  const plain = source.extraVolumes.map((volume, index) => sanDrive(volume, index + 1, 0, options.multipath));
  const fallback = extras.some((extra) => extra.described) ? { boot, extras: plain } : null;
  const warnings = [...warningsOf(wanted), ...(options.bootMode === 'uefi' ? [] : biosWarnings(source, wanted))];
  return { wanted, fallback, warnings };
}

function sanDrive(volume: BootVolume<IscsiConnection>, index: number, free: number, multipath: boolean): SanDrive {
  const drive = driveNumber(index);
  const paths = volume.connection.paths.slice(0, maxPaths);
  const described = free > 0;
  const together = multipath ? paths.slice(0, described ? free : maxPaths) : [];
  const single = paths.map((path) => [path]);
  return { volume, drive, tries: together.length > 1 ? [together, ...single] : single, described };
}

function entriesOf({ tries: [first = []] }: SanDrive): number {
  return first.length;
}

function warningsOf({ boot, extras }: SanDrives): readonly string[] {
  const warnings: string[] = [];
  for (const drive of [boot, ...extras]) {
    const { volume, tries, described } = drive;
    const name = `Volume ${volume.volumeId} (volume target ${volume.targetUuid})`;
    if (volume.connection.paths.length > maxPaths) {
      warnings.push(`${name} has more than ${maxPaths} paths; the firmware uses the first ${maxPaths} only.`);
    }
    const together = tries[0]?.length ?? 0;
    if (together > 1 && together < Math.min(volume.connection.paths.length, maxPaths)) {
      warnings.push(
        `${name} is announced to the operating system over ${together} of its paths only: the iBFT has no entry for more.`,
      );
    }
    if (!described) {
      warnings.push(
        `${name} is not announced to the operating system, because the iBFT has no entry left for it: the system must log in to it by itself.`,
      );
    }
  }
  return warnings;
}

/** What does not fit into the table of iPXE for BIOS. */
function biosWarnings({ initiatorIqn }: SanSource, { boot, extras }: SanDrives): readonly string[] {
  const described = [boot, ...extras.filter((extra) => extra.described)];
  const bootAlone = { ...boot, tries: boot.tries.slice(-1) };
  const tooLong = 'The iSCSI names and credentials are too long for the iBFT of iPXE for BIOS (256 bytes)';
  if (!fitsBiosTable(initiatorIqn, [bootAlone])) {
    return [`${tooLong}: a machine that does not boot by UEFI cannot boot. Use a shorter initiator name.`];
  }
  if (fitsBiosTable(initiatorIqn, described)) return [];
  return [`${tooLong}: a machine that does not boot by UEFI announces one path of the boot volume only.`];
}

import { retryLines, type RetryOptions } from './retry.ts';
import type { Line } from './script-text.ts';

/** A volume as iPXE hooks it. */
export interface HookedDrive {
  /** BIOS drive number as iPXE writes it: `0x80` for the boot volume, `0x81` for the next. */
  readonly drive: string;
  /** SAN URIs to connect to, together within a try; a try is made when the one before it failed. Never empty. */
  readonly tries: readonly (readonly string[])[];
  /** Whether the operating system is told of it in a firmware table. */
  readonly described: boolean;
  /** Lines that set what iPXE needs when it connects. */
  readonly settings: readonly Line[];
}

export interface HookedDrives {
  readonly boot: HookedDrive;
  readonly extras: readonly HookedDrive[];
}

export interface SanSection extends RetryOptions {
  /** Part of the labels: `boot_<name>`, `fail_<name>`, `fail_<name>_retry`. */
  readonly name: string;
  /** What is hooked, for the console. */
  readonly title: string;
  /** Lines that every attempt begins with. */
  readonly begin: readonly Line[];
  /** Ways to hook the same drives; each is tried when the one before it failed. */
  readonly arrangements: readonly [HookedDrives, ...HookedDrives[]];
}

/**
 * Renders the labels `boot_<name>` to `fail_<name>_retry`: hooks all volumes and boots from the first. When that fails all drives are
 * given back, because iPXE refuses a drive number that is in use; then comes the next arrangement, and after the last a wait and a new
 * attempt.
 */
export function sanSection(section: SanSection): readonly (readonly Line[])[] {
  const { name, arrangements } = section;
  const [{ boot, extras }] = arrangements;
  const entry = `boot_${name}`;
  const retryLabel = `fail_${name}_retry`;
  // keep-san, which DHCP may set, would turn sanunhook off.
  const begin = [`:${entry}`, 'inc i', 'imgfree', 'set keep-san 0', ...section.begin];
  const attempts = arrangements.map((drives, index) => {
    const next = index + 1 < arrangements.length ? `${entry}_${index + 2}` : retryLabel;
    return bootLines(drives, { label: `${entry}_${index + 1}`, number: index + 1, next, failed: `fail_${name}` });
  });
  const failed: readonly Line[] = [
    `:fail_${name}`,
    'set failure ${errno}',
    ...[boot, ...extras].toReversed().map(({ drive }) => unhookLine(drive)),
    'goto ${next}',
  ];
  const retry = retryLines({
    label: retryLabel,
    entry,
    failed: `${section.title} drive \${drive} failed`,
    delaySeconds: section.delaySeconds,
  });
  return [begin, ...attempts, failed, retry];
}

interface Attempt {
  readonly label: string;
  readonly number: number;
  /** Label that follows when it failed. */
  readonly next: string;
  readonly failed: string;
}

function bootLines({ boot, extras }: HookedDrives, { label, number, next, failed }: Attempt): readonly Line[] {
  return [
    `:${label}`,
    `set next ${next}`,
    ...[boot, ...extras].flatMap((drive) => hookLines(drive, `hooked_${number}_${drive.drive}`, failed)),
    // iPXE connects again, with the settings of that moment, when a boot loader resets the drive or a connection breaks.
    ...(extras.length > 0 ? [...boot.settings, `set drive ${boot.drive}`] : []),
    `sanboot --no-describe --drive ${boot.drive} || goto ${failed}`,
  ];
}

function hookLines(
  { drive, tries, described, settings }: HookedDrive,
  hooked: string,
  failed: string,
): readonly Line[] {
  const hooks = tries.map((uris) => `sanhook ${described ? '' : '--no-describe '}--drive ${drive} ${uris.join(' ')}`);
  const earlier = hooks.slice(0, -1).flatMap((hook) => [`${hook} && goto ${hooked} ||`, unhookLine(drive)]);
  return [
    ...settings,
    `set drive ${drive}`,
    ...earlier,
    `${hooks.at(-1) ?? ''} || goto ${failed}`,
    ...(earlier.length > 0 ? [`:${hooked}`] : []),
  ];
}

/** A drive stays hooked when only its description failed; one that is not hooked is no error. */
function unhookLine(drive: string): string {
  return `sanunhook --drive ${drive} ||`;
}

import { LabError } from '../lab-error.ts';
import type { SerialConsole } from '../serial-console.ts';
import { guestPrefix } from './scripts.ts';

/** What the guest says about itself as soon as it runs from its volume. */
export interface GuestReport {
  /** Where the root file system is: a block device, "/dev/sda1", or an NFS export, "nfs4:198.51.100.1:/root". */
  readonly root: string;
  /** Name of the target that holds the root file system; empty when none does. */
  readonly session: string;
  /** Targets of all active iSCSI sessions, one entry for each session. */
  readonly targets: readonly string[];
  readonly initiator: string;
  /** Seconds since the kernel started. */
  readonly uptimeSeconds: number;
}

/** The line with which a guest reports that it runs from its volume. */
export const guestReady = new RegExp(`^${guestPrefix} ROOT-OK `);

/** The line with which a guest says that it cannot reach its volume; it stays up. */
export const guestFailed = new RegExp(`^${guestPrefix} FAIL `);

/** Reads the line that {@link guestReady} matches; undefined for any other line. */
export function parseGuestReport(line: string): GuestReport | undefined {
  if (!guestReady.test(line)) return undefined;
  const values = new Map(line.split(' ').map((word) => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]));
  return {
    root: values.get('root') ?? '',
    session: values.get('session') ?? '',
    targets: values.get('targets')?.split(',').filter(Boolean) ?? [],
    initiator: values.get('initiator') ?? '',
    uptimeSeconds: Number(values.get('uptime')),
  };
}

/**
 * Waits until the guest runs from its volume.
 * @throws LAB_TIMEOUT. A guest that reports a failure is waited for no longer: the error quotes its line.
 */
export async function waitForGuest(
  serial: SerialConsole,
  options: { readonly timeoutMs: number; readonly from?: number; readonly signal?: AbortSignal },
): Promise<GuestReport> {
  const either = new RegExp(`${guestReady.source}|${guestFailed.source}`);
  const line = await serial.waitForLine(either, options);
  const report = parseGuestReport(line);
  if (report === undefined) throw new LabError('LAB_GUEST_FAILED', `The guest did not reach its volume: ${line}`);
  return report;
}

import { secretText, type ChapCredentials, type IscsiBoot } from '@ironbark/core';
import { ipxeText } from './ipxe-value.ts';
import { retryLines, type RetryOptions } from './retry.ts';
import type { SanDrive } from './san-drive.ts';
import { planSanDrives, type SanDrives, type SanOptions } from './san-drives.ts';
import { sanUri } from './san-uri.ts';
import type { Line } from './script-text.ts';

export interface IscsiSection {
  readonly sections: readonly (readonly Line[])[];
  readonly warnings: readonly string[];
}

const entryLabel = 'boot_iscsi';
const failedLabel = 'fail_iscsi';
const retryLabel = 'fail_iscsi_retry';

/**
 * Renders the labels `boot_iscsi` to `fail_iscsi_retry`: hooks all volumes, each with its own credentials, and boots from the first.
 * When that fails all drives are given back, because iPXE refuses a drive number that is in use; then comes the fallback, and after
 * it a wait and a new attempt.
 */
export function iscsiSection(source: IscsiBoot, options: RetryOptions & SanOptions): IscsiSection {
  const { wanted, fallback, warnings } = planSanDrives(source, options);
  const initiatorIqn = ipxeText(source.initiatorIqn, 'connector_id of the volume connector of type iqn');
  // keep-san, which DHCP may set, would turn sanunhook off.
  const begin = [`:${entryLabel}`, 'inc i', 'imgfree', 'set keep-san 0', `set initiator-iqn ${initiatorIqn}`];
  const attempts =
    fallback === null
      ? [bootLines(wanted, 1, retryLabel)]
      : [bootLines(wanted, 1, `${entryLabel}_2`), bootLines(fallback, 2, retryLabel)];
  const failed: readonly Line[] = [
    `:${failedLabel}`,
    'set failure ${errno}',
    ...[wanted.boot, ...wanted.extras].toReversed().map(({ drive }) => unhookLine(drive)),
    'goto ${next}',
  ];
  const retry = retryLines({
    label: retryLabel,
    entry: entryLabel,
    failed: 'iSCSI drive ${drive} failed',
    delaySeconds: options.delaySeconds,
  });
  return { sections: [begin, ...attempts, failed, retry], warnings };
}

function bootLines({ boot, extras }: SanDrives, number: number, next: string): readonly Line[] {
  return [
    `:${entryLabel}_${number}`,
    `set next ${next}`,
    ...[boot, ...extras].flatMap((drive) => hookLines(drive, `hooked_${number}_${drive.drive}`)),
    // iPXE logs in again, with the settings of that moment, when a boot loader resets the drive or a connection breaks.
    ...(extras.length > 0 ? [...credentialLines(boot), `set drive ${boot.drive}`] : []),
    `sanboot --no-describe --drive ${boot.drive} || goto ${failedLabel}`,
  ];
}

function hookLines(sanDrive: SanDrive, hookedLabel: string): readonly Line[] {
  const { drive, tries, described, volume } = sanDrive;
  const hooks = tries.map((paths) => {
    const uris = paths.map((path) => sanUri(path, `volume target ${volume.targetUuid}`));
    return `sanhook ${described ? '' : '--no-describe '}--drive ${drive} ${uris.join(' ')}`;
  });
  const earlier = hooks.slice(0, -1).flatMap((hook) => [`${hook} && goto ${hookedLabel} ||`, unhookLine(drive)]);
  return [
    ...credentialLines(sanDrive),
    `set drive ${drive}`,
    ...earlier,
    `${hooks.at(-1) ?? ''} || goto ${failedLabel}`,
    ...(earlier.length > 0 ? [`:${hookedLabel}`] : []),
  ];
}

/** A drive stays hooked when only its description failed; one that is not hooked is no error. */
function unhookLine(drive: string): string {
  return `sanunhook --drive ${drive} ||`;
}

/** Sets or clears all four settings, so that a volume never sees the credentials of the one before it. */
function credentialLines({ volume }: SanDrive): readonly Line[] {
  const { chap } = volume.connection;
  const where = `volume target ${volume.targetUuid}`;
  return [...pairLines('', chap, 'auth', where), ...pairLines('reverse-', chap?.mutual ?? null, 'mutual_auth', where)];
}

type Pair = Pick<ChapCredentials, 'username' | 'password'>;

function pairLines(prefix: string, pair: Pair | null, property: string, where: string): readonly Line[] {
  if (pair === null) return [`clear ${prefix}username`, `clear ${prefix}password`];
  const username = ipxeText(pair.username, `${property}_username of ${where}`);
  const password = ipxeText(pair.password, `${property}_password of ${where}`);
  return [`set ${prefix}username ${username}`, secretText`set ${prefix}password ${password}`];
}

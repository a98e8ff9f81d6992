import { secretText, type ChapCredentials, type IscsiBoot } from '@ironbark/core';
import { ipxeText } from './ipxe-value.ts';
import type { RetryOptions } from './retry.ts';
import type { SanDrive } from './san-drive.ts';
import { planSanDrives, type SanDrives, type SanOptions } from './san-drives.ts';
import { sanSection, type HookedDrive, type HookedDrives } from './san-section.ts';
import { sanUri } from './san-uri.ts';
import type { Line } from './script-text.ts';

export interface IscsiSection {
  readonly sections: readonly (readonly Line[])[];
  readonly warnings: readonly string[];
}

/** Renders the labels `boot_iscsi` to `fail_iscsi_retry`: hooks all volumes, each with its own credentials, and boots from the first. */
export function iscsiSection(source: Omit<IscsiBoot, 'system'>, options: RetryOptions & SanOptions): IscsiSection {
  const { wanted, fallback, warnings } = planSanDrives(source, options);
  const initiatorIqn = ipxeText(source.initiatorIqn, 'connector_id of the volume connector of type iqn');
  const sections = sanSection({
    name: 'iscsi',
    title: 'iSCSI',
    begin: [`set initiator-iqn ${initiatorIqn}`],
    arrangements: fallback === null ? [hookedDrives(wanted)] : [hookedDrives(wanted), hookedDrives(fallback)],
    delaySeconds: options.delaySeconds,
  });
  return { sections, warnings };
}

function hookedDrives({ boot, extras }: SanDrives): HookedDrives {
  return { boot: hookedDrive(boot), extras: extras.map(hookedDrive) };
}

function hookedDrive({ drive, tries, described, volume }: SanDrive): HookedDrive {
  const where = `volume target ${volume.targetUuid}`;
  return {
    drive,
    tries: tries.map((paths) => paths.map((path) => sanUri(path, where))),
    described,
    settings: credentialLines(volume.connection.chap, where),
  };
}

/** Sets or clears all four settings, so that a volume never sees the credentials of the one before it. */
function credentialLines(chap: ChapCredentials | null, where: string): readonly Line[] {
  return [...pairLines('', chap, 'auth', where), ...pairLines('reverse-', chap?.mutual ?? null, 'mutual_auth', where)];
}

type Pair = Pick<ChapCredentials, 'username' | 'password'>;

function pairLines(prefix: string, pair: Pair | null, property: string, where: string): readonly Line[] {
  if (pair === null) return [`clear ${prefix}username`, `clear ${prefix}password`];
  const username = ipxeText(pair.username, `${property}_username of ${where}`);
  const password = ipxeText(pair.password, `${property}_password of ${where}`);
  return [`set ${prefix}username ${username}`, secretText`set ${prefix}password ${password}`];
}

import {
  isHost,
  isIscsiName,
  secretText,
  type InitramfsType,
  type IscsiBoot,
  type IscsiConnection,
  type IscsiPath,
  type Secret,
  type ServedSystem,
} from '@ironbark/core';
import { unwritable, type KernelParameter } from './kernel-parameter.ts';

export interface IscsiParameters {
  readonly parameters: readonly KernelParameter[];
  /** What the operator should know. */
  readonly warnings: readonly string[];
}

/** open-iscsi keeps CHAP names and secrets in 256 bytes. */
const maxCredentialBytes = 255;
/** dracut names a file `iscsistarted-<netroot>`, and names of files have at most 255 bytes. */
const maxNetrootBytes = 255 - 'iscsistarted-'.length;

/**
 * The parameters by which a ramdisk logs in to the boot volume and finds its root there. With an unknown type of ramdisk those of all
 * types are given: each ignores the others' names or reads the same value from them.
 * - dracut (dracut.cmdline(7)): one `netroot` for each path, credentials by `rd.iscsi.*`, which count for all of them. The inline form
 *   of credentials is not used: it separates them by `:` and `@`, and dracut writes it into shell scripts.
 * - initramfs-tools (open-iscsi's script `local-top/iscsi`): `iscsi_*`, which can express one path.
 * @throws INVALID_PARAMETER naming the field, never quoting a secret.
 */
export function iscsiParameters(
  source: Pick<IscsiBoot, 'initiatorIqn' | 'volume' | 'extraVolumes'>,
  system: Pick<ServedSystem, 'root' | 'initramfsType'>,
): IscsiParameters {
  const { initiatorIqn, volume, extraVolumes } = source;
  const where = `volume target ${volume.targetUuid}`;
  if (!isIscsiName(initiatorIqn)) {
    throw unwritable('connector_id of the volume connector of type iqn', 'is no iSCSI name');
  }
  checkRoot(system.root);
  for (const path of volume.connection.paths) checkPath(path, where);
  checkCredentials(volume.connection.chap, where);
  const types: readonly InitramfsType[] =
    system.initramfsType === null ? ['dracut', 'initramfs-tools'] : [system.initramfsType];
  const login = types.flatMap((type) => writers[type](initiatorIqn, volume.connection, where));
  const warnings = [
    ...(volume.connection.paths.length > 1 && types.includes('initramfs-tools') ? [singlePath(where)] : []),
    ...extraVolumes.map(({ targetUuid, volumeId }) => {
      return `Volume ${volumeId} (volume target ${targetUuid}) is not attached by the ramdisk: the system must log in to it by itself.`;
    }),
  ];
  return { parameters: [`root=${system.root}`, 'ip=dhcp', ...login], warnings };
}

type Writer = (initiatorIqn: string, connection: IscsiConnection, where: string) => readonly KernelParameter[];

const writers: Readonly<Record<InitramfsType, Writer>> = {
  dracut: (initiatorIqn, { paths, chap }, where) => [
    'rd.neednet=1',
    `rd.iscsi.initiator=${initiatorIqn}`,
    ...pair('rd.iscsi.', chap),
    ...pair('rd.iscsi.in.', chap?.mutual ?? null),
    ...paths.map((path) => `netroot=${netroot(path, where)}`),
  ],
  'initramfs-tools': (initiatorIqn, { paths: [path], chap }) => [
    `iscsi_initiator=${initiatorIqn}`,
    `iscsi_target_name=${path?.iqn}`,
    `iscsi_target_ip=${path?.portal.host}`,
    `iscsi_target_port=${path?.portal.port}`,
    'iscsi_target_group=1',
    ...pair('iscsi_', chap),
    ...pair('iscsi_in_', chap?.mutual ?? null),
  ],
};

interface Credentials {
  readonly username: string;
  readonly password: Secret;
}

function pair(prefix: string, credentials: Credentials | null): readonly KernelParameter[] {
  if (credentials === null) return [];
  return [`${prefix}username=${credentials.username}`, secretText`${prefix}password=${credentials.password}`];
}

function netroot({ portal: { host, port }, lun, iqn }: IscsiPath, where: string): string {
  const text = `iscsi:${host.includes(':') ? `[${host}]` : host}::${port}:${lun}:${iqn}`;
  if (text.length > maxNetrootBytes) throw unwritable(`target_iqn of ${where}`, 'is too long for dracut');
  return text;
}

function checkPath({ portal: { host, port }, lun, iqn }: IscsiPath, where: string): void {
  if (!isHost(host)) throw unwritable(`target_portal of ${where}`, 'holds no host name or address');
  if (!isNumber(port, 1)) throw unwritable(`target_portal of ${where}`, 'holds no TCP port');
  if (!isNumber(lun, 0)) throw unwritable(`target_lun of ${where}`, 'is no number from 0 to 65535');
  if (!isIscsiName(iqn)) throw unwritable(`target_iqn of ${where}`, 'is no iSCSI name');
  // dracut looks for the last one in the parameter to find where the name begins.
  if (iqn.includes(':iqn.')) throw unwritable(`target_iqn of ${where}`, 'holds ":iqn.", where dracut would cut it');
}

function isNumber(value: number, min: number): boolean {
  return Number.isInteger(value) && value >= min && value <= 65_535;
}

function checkCredentials(chap: IscsiConnection['chap'], where: string): void {
  if (chap === null) return;
  for (const [property, pairOf] of [['auth', chap] as const, ['mutual_auth', chap.mutual] as const]) {
    if (pairOf === null) continue;
    checkCredential(pairOf.username, `${property}_username of ${where}`);
    checkCredential(pairOf.password.reveal(), `${property}_password of ${where}`);
  }
}

/** Ramdisks read the line with a shell, whose words end at blanks. */
function checkCredential(text: string, field: string): void {
  if (text === '') throw unwritable(field, 'is empty');
  if (/[^!-~]/.test(text)) throw unwritable(field, 'holds a blank or a character that is not printable ASCII');
  if (/["'\\]/.test(text)) throw unwritable(field, 'holds a quote or a backslash');
  if (text.length > maxCredentialBytes) throw unwritable(field, `is longer than ${maxCredentialBytes} bytes`);
}

function checkRoot(root: string): void {
  if (/^(?:UUID=[0-9A-Fa-f-]{4,72}|LABEL=[\w.+:-]{1,255})$/.test(root)) return;
  throw unwritable('root file system of the image', 'is neither "UUID=…" nor "LABEL=…" of letters, digits and ._+:-');
}

function singlePath(where: string): string {
  return `A ramdisk of initramfs-tools logs in to the first path of ${where} only.`;
}

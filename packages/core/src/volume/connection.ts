import type { Secret } from '../secret.ts';

/** What a machine needs to know to reach a volume. A storage driver produces it, a boot driver consumes it. */
export type VolumeConnection = IscsiConnection | FibreChannelConnection | NfsConnection;

export interface IscsiConnection {
  readonly kind: 'iscsi';
  /** Paths to one and the same LUN, best first; never empty. */
  readonly paths: readonly IscsiPath[];
  readonly chap: ChapCredentials | null;
}

export interface IscsiPath {
  readonly portal: Portal;
  readonly iqn: string;
  /** 0 to 65535. */
  readonly lun: number;
}

export interface Portal {
  /** Host name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ChapCredentials {
  readonly username: string;
  readonly password: Secret;
  /** How the target proves itself to the initiator; null for one-way CHAP. */
  readonly mutual: { readonly username: string; readonly password: Secret } | null;
}

export interface FibreChannelConnection {
  readonly kind: 'fibre_channel';
  /** Paths, best first; never empty. */
  readonly paths: readonly FibreChannelPath[];
}

export interface FibreChannelPath {
  /** 16 lower-case hexadecimal digits; null when the storage did not say which initiator port reaches the target. */
  readonly initiatorWwpn: string | null;
  /** 16 lower-case hexadecimal digits. */
  readonly targetWwpn: string;
  readonly lun: number;
}

export interface NfsConnection {
  readonly kind: 'nfs';
  readonly server: string;
  /** Absolute path of the export. */
  readonly path: string;
  readonly options: readonly string[];
}

/** `host:port` with IPv6 addresses in brackets. */
export function formatPortal(portal: Portal): string {
  return `${portal.host.includes(':') ? `[${portal.host}]` : portal.host}:${portal.port}`;
}

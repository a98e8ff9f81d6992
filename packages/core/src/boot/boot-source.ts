import type { BootDevice } from '../model/states.ts';
import type { FibreChannelConnection, IscsiConnection, NfsConnection, VolumeConnection } from '../volume/connection.ts';
import type { SecretText } from '../secret.ts';

/** What a machine boots from, decided once by {@link decideBootSource} and rendered by a boot driver. */
export type BootSource = IscsiBoot | FibreChannelBoot | NfsBoot | HbaBoot | LocalDiskBoot | RamdiskBoot;

export interface IscsiBoot {
  readonly kind: 'iscsi';
  /** The one iSCSI name for every session of the node. */
  readonly initiatorIqn: string;
  readonly volume: BootVolume<IscsiConnection>;
  /** Further iSCSI volumes in the order of their boot index. */
  readonly extraVolumes: readonly BootVolume<IscsiConnection>[];
}

export interface FibreChannelBoot {
  readonly kind: 'fibre_channel';
  readonly volume: BootVolume<FibreChannelConnection>;
  readonly extraVolumes: readonly BootVolume<FibreChannelConnection>[];
}

export interface NfsBoot {
  readonly kind: 'nfs';
  readonly volume: BootVolume<NfsConnection>;
}

/** The machine's own adapter presents the volume as a disk; nothing is served over the network. */
export interface HbaBoot {
  readonly kind: 'hba';
}

export interface LocalDiskBoot {
  readonly kind: 'local_disk';
}

/** A kernel and a ramdisk over the network: the deploy ramdisk, for one. */
export interface RamdiskBoot {
  readonly kind: 'ramdisk';
  readonly kernelUrl: string;
  readonly ramdiskUrl: string;
  /** Kernel parameters, one entry each; quoted or refused by the renderer. */
  readonly parameters: readonly string[];
}

export interface BootVolume<Connection extends VolumeConnection = VolumeConnection> {
  readonly targetUuid: string;
  readonly volumeId: string;
  readonly connection: Connection;
}

/** What a boot driver would write and set for a node: values only, computed without touching anything. */
export interface BootArtifacts {
  readonly files: readonly BootFile[];
  readonly links: readonly BootLink[];
  /** Device that the management interface is told to boot from, persistently; null to leave it alone. */
  readonly bootDevice: BootDevice | null;
  /** What the operator should know: limits of the firmware, ignored records. */
  readonly warnings: readonly string[];
}

export interface BootFile {
  readonly root: 'http' | 'tftp';
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly content: SecretText;
}

export interface BootLink {
  readonly root: 'http' | 'tftp';
  readonly path: string;
  /** Path relative to the root of the file that the link leads to. */
  readonly target: string;
}

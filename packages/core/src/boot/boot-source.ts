import type { ImageReference } from '../image/image-reference.ts';
import type { InitramfsType } from '../image/instance-image.ts';
import type { BootDevice } from '../model/states.ts';
import type { FibreChannelConnection, IscsiConnection, NfsConnection, VolumeConnection } from '../volume/connection.ts';
import type { SecretText } from '../secret.ts';

/** What a machine boots from, put together by {@link bootSourceOf} and rendered by a boot driver. */
export type BootSource = IscsiBoot | FibreChannelBoot | NfsBoot | HbaBoot | LocalDiskBoot | RamdiskBoot | IsoBoot;

export type BootKind = BootSource['kind'];

export interface IscsiBoot {
  readonly kind: 'iscsi';
  /** The one iSCSI name for every session of the node. */
  readonly initiatorIqn: string;
  readonly volume: BootVolume<IscsiConnection>;
  /** Further iSCSI volumes in the order of their boot index. */
  readonly extraVolumes: readonly BootVolume<IscsiConnection>[];
  /** For a boot driver that cannot read the volume: what it serves instead of the volume's own boot loader. Null: it can. */
  readonly system: ServedSystem | null;
}

/** Kernel and ramdisk that the conductor serves to the machine. */
export interface ServedKernel {
  readonly kernel: ImageReference;
  readonly ramdisk: ImageReference;
}

/** A kernel and a ramdisk that mount their root from a volume by themselves. */
export interface ServedSystem extends ServedKernel {
  /** Value of the kernel parameter `root`: `UUID=…` or `LABEL=…`. */
  readonly root: string;
  /** Null: unknown, so the parameters of all types are given. */
  readonly initramfsType: InitramfsType | null;
}

export interface FibreChannelBoot {
  readonly kind: 'fibre_channel';
  readonly volume: BootVolume<FibreChannelConnection>;
  readonly extraVolumes: readonly BootVolume<FibreChannelConnection>[];
}

/** A root file system on an NFS server. */
export interface NfsBoot extends ServedKernel {
  readonly kind: 'nfs';
  readonly connection: NfsConnection;
}

/** The machine's own adapter presents the volume as a disk; nothing is served over the network. */
export interface HbaBoot {
  readonly kind: 'hba';
}

export interface LocalDiskBoot {
  readonly kind: 'local_disk';
}

/** A kernel and a ramdisk over the network, which is all that the machine runs. */
export interface RamdiskBoot extends ServedKernel {
  readonly kind: 'ramdisk';
  /** Kernel parameters, one entry each; quoted or refused by the renderer. */
  readonly parameters: readonly string[];
}

/** An ISO image that the machine boots like a CD. */
export interface IsoBoot {
  readonly kind: 'iso';
  readonly image: ImageReference;
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
  /** Images that are fetched and put beside the files. Default: none. */
  readonly images?: readonly BootImage[];
  /** What a DHCP server is to tell each network card. Default: nothing. */
  readonly dhcp?: readonly DhcpBoot[];
  /** Device that the management interface is told to boot from, persistently; null to leave it alone. */
  readonly bootDevice: BootDevice | null;
  /** URL that UEFI HTTP boot is pointed at before the boot device is set. Default: none. */
  readonly httpBootUrl?: string | null;
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

export interface BootImage {
  readonly root: 'http' | 'tftp';
  readonly path: string;
  readonly image: ImageReference;
}

/**
 * Who asks the DHCP server for a boot file: iPXE, which is there already (user class, RFC 3004), or a firmware by its architecture
 * (RFC 4578 and 5970, option 93), `http-` when it boots by HTTP.
 */
export const dhcpClients = ['ipxe', 'bios', 'uefi-x86_64', 'uefi-arm64', 'http-x86_64', 'http-arm64'] as const;
export type DhcpClient = (typeof dhcpClients)[number];

/** Boot files of one network card. */
export interface DhcpBoot {
  readonly portUuid: string;
  /** Lower case, with colons. */
  readonly macAddress: string;
  /** A path in the TFTP root, or a URL. A client that is left out gets no boot file. */
  readonly bootFiles: Partial<Readonly<Record<DhcpClient, string>>>;
}

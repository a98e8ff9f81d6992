import type { Info } from '@ironbark/core';

/**
 * The Block Storage API v3 (Cinder), as far as drivers need it. Every call takes the signal of the work that it belongs to, and throws
 * a {@link ServiceError}. Bodies are checked: an answer that lacks what is promised here is an error.
 *
 * Calls that read, and those that are safe to repeat, are made again when the connection breaks or the service is not there. The
 * others are made again only when they certainly did not arrive; `mayHaveActed` of the error tells whether to look.
 */
export interface BlockStorage {
  /** What the service offers; asked once and remembered. */
  capabilities(signal: AbortSignal): Promise<BlockStorageCapabilities>;
  getVolume(volumeId: string, signal: AbortSignal): Promise<Volume>;
  /** Volumes of all projects that carry any metadata whose key begins so. Needs an administrator; pages are followed. */
  listVolumesMarked(metadataKeyPrefix: string, signal: AbortSignal): Promise<readonly Volume[]>;
  /** Merges into the metadata of the volume. Safe to repeat. */
  setVolumeMetadata(volumeId: string, metadata: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  /** Does nothing when there is no such key, or no such volume. Safe to repeat. */
  deleteVolumeMetadata(volumeId: string, key: string, signal: AbortSignal): Promise<void>;

  /** Microversion 3.27. Reserves the volume for the instance; exports nothing. */
  createAttachment(volumeId: string, instanceUuid: string, signal: AbortSignal): Promise<Attachment>;
  /**
   * Microversion 3.27. Exports the volume to the connector and returns the attachment with its connection; the status that it returns
   * may still be the one before. Safe to repeat with the same connector.
   */
  updateAttachment(attachmentId: string, connector: Connector, signal: AbortSignal): Promise<Attachment>;
  /** Microversion 3.44. Safe to repeat. */
  completeAttachment(attachmentId: string, signal: AbortSignal): Promise<void>;
  /** Undefined when there is none. */
  findAttachment(attachmentId: string, signal: AbortSignal): Promise<Attachment | undefined>;
  /** Of all projects, where the user may see them. */
  listAttachments(
    filter: { readonly volumeId: string } | { readonly instanceUuid: string },
    signal: AbortSignal,
  ): Promise<readonly Attachment[]>;
  /** Ends the connection, the export and the reservation. Does nothing when there is no such attachment. Safe to repeat. */
  deleteAttachment(attachmentId: string, signal: AbortSignal): Promise<void>;

  reserve(volumeId: string, signal: AbortSignal): Promise<void>;
  /** Ignored by the service for a volume that is not reserved. Safe to repeat. */
  unreserve(volumeId: string, signal: AbortSignal): Promise<void>;
  /** Safe to repeat. */
  initializeConnection(volumeId: string, connector: Connector, signal: AbortSignal): Promise<ConnectionInfo>;
  /** Safe to repeat, for a volume that was never connected too. */
  terminateConnection(volumeId: string, connector: Connector, signal: AbortSignal): Promise<void>;
  /** `os-attach`. Safe to repeat for the same instance. */
  attach(volumeId: string, instanceUuid: string, mountpoint: string, signal: AbortSignal): Promise<void>;
  beginDetaching(volumeId: string, signal: AbortSignal): Promise<void>;
  /** Ignored by the service for a volume that is not `detaching`. Safe to repeat. */
  rollDetaching(volumeId: string, signal: AbortSignal): Promise<void>;
  /** `os-detach`. @param attachmentId null: the only one there is. */
  detach(volumeId: string, attachmentId: string | null, signal: AbortSignal): Promise<void>;
}

export interface BlockStorageCapabilities {
  /** The newest microversion, such as `3.70`. */
  readonly maxVersion: string;
  /** Whether there are attachments with completion: microversion 3.44. */
  readonly hasAttachments: boolean;
}

export interface Volume {
  readonly id: string;
  readonly name: string | null;
  /** `available`, `reserved`, `attaching`, `in-use`, `detaching`, `error` and others. */
  readonly status: string;
  readonly sizeGib: number;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  /** Project that the volume belongs to; null when the service does not tell. */
  readonly projectId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Only those that are attached. */
  readonly attachments: readonly VolumeAttachmentSummary[];
}

/** An entry of the `attachments` of a volume. */
export interface VolumeAttachmentSummary {
  readonly attachmentId: string;
  /** The instance that it was made for; null for an attachment to a host. */
  readonly serverId: string | null;
  /** `host` of the connector. */
  readonly hostName: string | null;
}

export interface Attachment {
  readonly id: string;
  readonly volumeId: string;
  readonly instanceUuid: string | null;
  /** `reserved`, `attaching`, `attached`, `detaching`, `detached`, `error_attaching`, `error_detaching`. */
  readonly status: string;
  /** Null until the attachment was updated with a connector, and in lists. */
  readonly connection: ConnectionInfo | null;
}

/** What Cinder answers about a connection, with its secrets wrapped; the forms of both APIs are made equal here. */
export interface ConnectionInfo {
  /** `iscsi`, `fibre_channel`, `nfs` and others. */
  readonly driverVolumeType: string;
  /** `target_portal`, `target_iqn` …, as `parseVolumeConnection` of the core reads them. */
  readonly data: Info;
}

/** How a machine presents itself to the storage. `host` has to be the same for every call about one machine. */
export interface Connector {
  readonly host: string;
  readonly initiator?: string;
  readonly ip?: string;
  readonly wwpns?: readonly string[];
  readonly wwnns?: readonly string[];
  readonly multipath?: true;
}

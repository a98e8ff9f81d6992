import type { Info } from '../info.ts';
import type { Timestamp } from '../timestamp.ts';
import type { VolumeConnection } from '../volume/connection.ts';

/** How a node presents itself to storage: one identifier of one of its interfaces. */
export interface VolumeConnector {
  readonly uuid: string;
  readonly nodeUuid: string;
  /** `iqn`, `ip`, `mac`, `wwpn`, `wwnn`, `port`, `portgroup`; free-form in the API. */
  readonly type: string;
  readonly connectorId: string;
  readonly extra: Info;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp | null;
}

/** A volume that a node is to be connected to. Boot index 0 is the boot volume. */
export interface VolumeTarget {
  readonly uuid: string;
  readonly nodeUuid: string;
  /** `iscsi`, `fibre_channel`, `nfs`; free-form in the API, checked by the storage driver. */
  readonly volumeType: string;
  readonly bootIndex: number;
  readonly volumeId: string;
  /** Project that named the volume; it may name volumes of its own only. Missing or null: an operator did, who may name any. */
  readonly projectId?: string | null;
  readonly properties: Info;
  readonly extra: Info;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp | null;
}

/** A volume that is attached to a node now, with the connection that the storage driver got for it. */
export interface VolumeAttachment {
  readonly nodeUuid: string;
  readonly targetUuid: string;
  readonly volumeId: string;
  readonly bootIndex: number;
  readonly connection: VolumeConnection;
  readonly attachedAt: Timestamp;
}

import type { Info } from '../info.ts';
import type { Timestamp } from '../timestamp.ts';

/** A network card of a node. */
export interface Port {
  readonly uuid: string;
  readonly nodeUuid: string;
  /** MAC address, lower case, with colons. */
  readonly address: string;
  readonly pxeEnabled: boolean;
  readonly extra: Info;
  readonly internalInfo: Info;
  readonly localLinkConnection: Info;
  readonly physicalNetwork: string | null;
  readonly isSmartnic: boolean;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp | null;
}

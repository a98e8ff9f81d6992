import type { Info } from '../info.ts';
import type { Timestamp } from '../timestamp.ts';

/** A group of nodes in one enclosure. */
export interface Chassis {
  readonly uuid: string;
  readonly description: string | null;
  readonly extra: Info;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp | null;
}

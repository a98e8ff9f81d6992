import type { Logger, PlannedCall } from '@ironbark/core';
import type { BlockStorage, ConnectionInfo, Connector, Volume } from '@ironbark/openstack';
import type { AttachmentNotes, ProtocolName } from './journal-notes.ts';
import type { Owner } from './owner.ts';
import type { Holding } from './survey.ts';

/** What the work on the volumes of all nodes has in common. */
export interface CinderContext {
  readonly service: BlockStorage;
  readonly options: AttachmentOptions;
}

export interface AttachmentOptions {
  readonly attachmentApi: 'auto' | ProtocolName;
  /** How often a release is tried again. */
  readonly actionRetries: number;
  /** Before the first repetition; each further wait is twice as long, up to five minutes. */
  readonly actionRetryIntervalMs: number;
  /** How long Cinder may go on with a request after its answer was lost. */
  readonly settleMs: number;
}

/** One volume of a node, and what is needed to work on it. */
export interface VolumeWork {
  readonly volumeId: string;
  readonly owner: Owner;
  /** As it was noted when the volume was exported, else as the node is now. */
  readonly connector: Connector;
  readonly notes: AttachmentNotes;
  readonly settleMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * One of the two ways in which Cinder attaches volumes. Every method notes in the journal what it is about to ask for, before it
 * asks; a failure may leave anything between nothing and all of it, which a survey finds.
 */
export interface AttachmentProtocol {
  readonly name: ProtocolName;
  /**
   * Reserves the volume and exports it to the connector.
   * @param begun what an earlier attempt has left; undefined when the volume is free.
   */
  connect(work: VolumeWork, begun: Holding | undefined): Promise<ConnectionInfo>;
  /** Marks a connected volume as attached. Safe to repeat. */
  complete(work: VolumeWork): Promise<void>;
  /** The connection of a volume that is attached; null when this protocol did not attach it. */
  read(work: VolumeWork, attached: Holding, volume: Volume): Promise<ConnectionInfo | null>;
  /** Asks Cinder to end a holding at any stage. Whether it did has to be looked up. */
  release(work: VolumeWork, holding: Holding, volume: Volume): Promise<void>;
  /** Reserves, exports and withdraws a free volume, so that no export is left of it. */
  purge(work: VolumeWork): Promise<void>;
  /** The calls of `connect` and `complete`, for the dry run. */
  plan(volumeId: string, owner: Owner): { readonly connect: readonly PlannedCall[]; readonly complete: PlannedCall };
}

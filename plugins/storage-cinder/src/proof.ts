import type { AttachmentNote } from './journal-notes.ts';
import type { Owner } from './owner.ts';
import type { Holding } from './survey.ts';

/** What the journal says about a volume. */
export interface Evidence {
  readonly note: AttachmentNote | undefined;
  /** Whether the answer to a request that makes something was lost. */
  readonly isUnsettled: boolean;
}

/**
 * Whether a holding is beyond doubt ours, so that it may be released without anybody having asked for it. Anyone can make an
 * attachment in the name of any instance; our connector's host and our journal are what others do not have.
 */
export function isProven(holding: Holding, owner: Owner, { note, isUnsettled }: Evidence): boolean {
  const { attachmentId, instanceUuid, host, stage } = holding;
  if (attachmentId === null || attachmentId === note?.attachmentId) return true;
  if (instanceUuid === null) return false;
  if (host === owner.nodeUuid) return owner.instanceUuids.has(instanceUuid) || instanceUuid === note?.instanceUuid;
  if (host !== null || instanceUuid !== note?.instanceUuid) return false;
  // The answer that would have told its id was lost: of a reservation, or of what volume actions attached, which have no host.
  if (stage === 'reserved') return isUnsettled || note.attachmentId === null;
  return note.protocol === 'volume-actions' && note.attachmentId === null;
}

import type { AttachmentNote } from './journal-notes.ts';
import type { Owner } from './owner.ts';
import type { Holding } from './survey.ts';

/**
 * Whether a holding is beyond doubt ours, so that it may be released without anybody having asked for it. Anyone can make an
 * attachment in the name of any instance; our connector's host and our journal are what others do not have.
 */
export function isProven(holding: Holding, owner: Owner, note: AttachmentNote | undefined): boolean {
  const { attachmentId, instanceUuid, host, stage } = holding;
  if (attachmentId === null || attachmentId === note?.attachmentId) return true;
  if (instanceUuid === null) return false;
  if (host === owner.nodeUuid) return owner.instanceUuids.has(instanceUuid) || instanceUuid === note?.instanceUuid;
  if (instanceUuid !== note?.instanceUuid || host !== null || note.attachmentId !== null) return false;
  // The answer that would have told its id was lost: a reservation, or what volume actions attached, which have no host.
  return stage === 'reserved' || note.protocol === 'volume-actions';
}

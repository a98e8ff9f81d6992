import { isServiceError, type Attachment, type BlockStorage, type Volume } from '@ironbark/openstack';
import { z } from 'zod';
import { cinderFailure } from './failure.ts';
import type { AttachmentNote } from './journal-notes.ts';
import type { Owner } from './owner.ts';

/** Something that Cinder holds of a volume for somebody. */
export interface Holding {
  /** Null for a reservation by volume actions: it has no id and no owner in Cinder, only in our journal. */
  readonly attachmentId: string | null;
  readonly instanceUuid: string | null;
  /** `host` of the connector; null when Cinder does not tell. */
  readonly host: string | null;
  /** `broken`: Cinder failed on the way and goes no further with it. */
  readonly stage: 'reserved' | 'connected' | 'attached' | 'broken';
}

/** Who holds a volume. */
export interface Survey {
  /** Null when there is no such volume, or the conductor's user may not see it. */
  readonly volume: Volume | null;
  /** What is held for the node, in the order in which it has to be released. */
  readonly own: readonly Holding[];
  readonly others: readonly Holding[];
}

/** A reservation beside it would keep Cinder from removing the export, so the ones that are connected go last. */
const releaseOrder: readonly Holding['stage'][] = ['reserved', 'broken', 'connected', 'attached'];

/** Asks Cinder who holds a volume. Changes nothing. */
export async function surveyVolume(
  service: BlockStorage,
  { volumeId, owner, note, signal }: SurveyRequest,
): Promise<Survey> {
  const volume = await findVolume(service, volumeId, signal);
  if (volume === null) {
    await assertGone(service, volumeId, note, signal);
    return { volume, own: [], others: [] };
  }
  const holdings = await holdingsOf(service, volume, note, signal);
  const isOwn = (holding: Holding) => belongsTo(holding, owner, note);
  const others = holdings.filter((holding) => !isOwn(holding));
  const own = holdings.filter(isOwn).toSorted((a, b) => releaseOrder.indexOf(a.stage) - releaseOrder.indexOf(b.stage));
  return { volume, own: own.length > 0 ? own : reservationByActions(volume, others, note), others };
}

export interface SurveyRequest {
  readonly volumeId: string;
  readonly owner: Owner;
  readonly note: AttachmentNote | undefined;
  readonly signal: AbortSignal;
}

async function findVolume(service: BlockStorage, volumeId: string, signal: AbortSignal): Promise<Volume | null> {
  try {
    return await service.getVolume(volumeId, signal);
  } catch (error) {
    if (isServiceError(error, 'OPENSTACK_NOT_FOUND')) return null;
    throw error;
  }
}

/** Cinder calls a volume missing that the user may not see. Such a user still sees the attachments, which a deleted volume has not. */
async function assertGone(
  service: BlockStorage,
  volumeId: string,
  note: AttachmentNote | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!note?.attachmentId || !(await service.capabilities(signal)).hasAttachments) return;
  if ((await service.findAttachment(note.attachmentId, signal)) === undefined) return;
  throw cinderFailure(
    `Cinder shows no volume ${volumeId}, but an attachment of it: ${note.attachmentId}.`,
    'Give the user of settings.cinder the role admin, or a role in the project of the volume.',
  );
}

/** The list knows also what is not attached yet; a volume that is free and that we never touched has nothing to list. */
async function holdingsOf(
  service: BlockStorage,
  volume: Volume,
  note: AttachmentNote | undefined,
  signal: AbortSignal,
): Promise<readonly Holding[]> {
  const attached = volume.attachments.map(({ attachmentId, serverId, hostName }): Holding => {
    return { attachmentId, instanceUuid: serverId, host: hostName, stage: 'attached' };
  });
  if (volume.status === 'available' && note === undefined) return attached;
  if (!(await service.capabilities(signal)).hasAttachments) return attached;
  const listed = await service.listAttachments({ volumeId: volume.id }, signal);
  return listed.flatMap(({ id, instanceUuid, status }): readonly Holding[] => {
    const stage = stageOf(status);
    if (stage === undefined) return [];
    const host = attached.find((holding) => holding.attachmentId === id)?.host ?? null;
    return [{ attachmentId: id, instanceUuid, host, stage }];
  });
}

function stageOf(status: Attachment['status']): Holding['stage'] | undefined {
  switch (status) {
    case 'reserved':
      return 'reserved';
    case 'attaching':
      return 'connected';
    case 'attached':
    case 'detaching':
    // Whoever wanted to end it has failed, so the machine may be using it.
    case 'error_detaching':
      return 'attached';
    case 'detached':
    case 'deleted':
      return undefined;
    default:
      return 'broken';
  }
}

function belongsTo(
  { attachmentId, instanceUuid, host }: Holding,
  owner: Owner,
  note: AttachmentNote | undefined,
): boolean {
  if (note !== undefined && attachmentId === note.attachmentId) return true;
  // An instance may have moved here from another node, whose machine still runs.
  if (host !== owner.nodeUuid && z.guid().safeParse(host).success) return false;
  return instanceUuid !== null && (owner.instanceUuids.has(instanceUuid) || instanceUuid === note?.instanceUuid);
}

/** Volume actions leave a volume `attaching` and do not say for whom; that it was us is in the journal only. */
function reservationByActions(
  volume: Volume,
  others: readonly Holding[],
  note: AttachmentNote | undefined,
): readonly Holding[] {
  if (note?.protocol !== 'volume-actions' || note.phase === 'attached' || volume.status !== 'attaching') return [];
  if (others.some(({ stage }) => stage !== 'attached')) return [];
  const stage = note.phase === 'reserving' ? 'reserved' : 'connected';
  return [{ attachmentId: null, instanceUuid: note.instanceUuid, host: note.connector.host, stage }];
}

/** Names a holder for people. The host is what somebody's connector said, so it is quoted. */
export function describeHolder({ instanceUuid, host, stage }: Holding): string {
  const who = instanceUuid === null ? 'no instance' : `instance ${instanceUuid}`;
  return `${who}${host === null ? '' : ` on host ${JSON.stringify(host)}`}${stage === 'attached' ? '' : ` (${stage})`}`;
}

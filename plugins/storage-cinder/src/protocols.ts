import { AttachmentsProtocol } from './attachments-protocol.ts';
import { cinderFailure } from './failure.ts';
import type { AttachmentNote, ProtocolName } from './journal-notes.ts';
import type { AttachmentProtocol, CinderContext, VolumeWork } from './protocol.ts';
import type { Holding, Survey } from './survey.ts';
import { VolumeActionsProtocol } from './volume-actions-protocol.ts';

export function protocolNamed({ service }: CinderContext, name: ProtocolName): AttachmentProtocol {
  return name === 'attachments' ? new AttachmentsProtocol(service) : new VolumeActionsProtocol(service);
}

/** The protocol for volumes that nobody has begun to attach. */
export async function chooseProtocol(context: CinderContext, signal: AbortSignal): Promise<AttachmentProtocol> {
  const { attachmentApi } = context.options;
  if (attachmentApi === 'volume-actions') return protocolNamed(context, attachmentApi);
  const { hasAttachments, maxVersion } = await context.service.capabilities(signal);
  if (hasAttachments) return protocolNamed(context, 'attachments');
  if (attachmentApi === 'auto') return protocolNamed(context, 'volume-actions');
  throw cinderFailure(
    `settings.cinder.attachment_api is "attachments", but this Cinder has microversions up to ${maxVersion} only.`,
    'Set it to "auto": attachments need microversion 3.44.',
  );
}

/** The protocol by which a holding was made, which is the one that can end it. */
export async function protocolOf(
  context: CinderContext,
  work: Pick<VolumeWork, 'signal'>,
  holding: Holding,
  note: AttachmentNote | undefined,
): Promise<AttachmentProtocol> {
  return protocolNamed(context, await nameOf(context, work, holding, note));
}

async function nameOf(
  { service }: CinderContext,
  { signal }: Pick<VolumeWork, 'signal'>,
  { attachmentId, stage }: Holding,
  note: AttachmentNote | undefined,
): Promise<ProtocolName> {
  if (attachmentId === null) return 'volume-actions';
  if (attachmentId === note?.attachmentId) return note.protocol;
  if (!(await service.capabilities(signal)).hasAttachments) return 'volume-actions';
  if (stage !== 'attached') return 'attachments';
  const attachment = await service.findAttachment(attachmentId, signal);
  // Only attachments remember their connection. One that is gone meanwhile must not be exported by an action.
  return attachment === undefined || attachment.connection !== null ? 'attachments' : 'volume-actions';
}

/**
 * The protocol to end a holding by. Volume actions remove the export of a volume whoever else uses it, so that one which is attached
 * elsewhere too is left to the attachments, where the service has them.
 * @param made the protocol by which it was made.
 */
export async function releasingProtocol(
  context: CinderContext,
  { signal }: Pick<VolumeWork, 'signal'>,
  { attachmentId }: Holding,
  { others }: Survey,
  made: AttachmentProtocol,
): Promise<AttachmentProtocol> {
  const isShared = attachmentId !== null && others.some(({ stage }) => stage === 'attached');
  if (!isShared || !(await context.service.capabilities(signal)).hasAttachments) return made;
  return protocolNamed(context, 'attachments');
}

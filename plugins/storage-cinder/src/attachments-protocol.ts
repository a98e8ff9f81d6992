import type { PlannedCall } from '@ironbark/core';
import { isServiceError, type BlockStorage, type ConnectionInfo } from '@ironbark/openstack';
import { cinderFailure, mayHaveActed } from './failure.ts';
import type { Owner } from './owner.ts';
import type { AttachmentProtocol, VolumeWork } from './protocol.ts';
import { asking } from './unsettled.ts';
import { surveyVolume, type Holding } from './survey.ts';

/** Attachments with ids of their own, which are known before anything is exported. Needs microversion 3.44. */
export class AttachmentsProtocol implements AttachmentProtocol {
  readonly name = 'attachments';
  readonly #service: BlockStorage;

  constructor(service: BlockStorage) {
    this.#service = service;
  }

  async connect(work: VolumeWork, begun: Holding | undefined): Promise<ConnectionInfo> {
    const { volumeId, owner, connector, notes, signal } = work;
    const attachmentId = begun?.attachmentId ?? (await this.#create(work));
    const note = { volumeId, protocol: this.name, attachmentId, instanceUuid: owner.instanceUuid, connector } as const;
    await notes.put({ ...note, phase: 'exporting' });
    const { connection } = await asking(work, this.#service.updateAttachment(attachmentId, connector, signal));
    if (connection !== null) return connection;
    throw cinderFailure(`Cinder gave no connection for attachment ${attachmentId} of volume ${volumeId}.`);
  }

  async complete({ notes, volumeId, signal }: VolumeWork): Promise<void> {
    const note = await notes.get(volumeId);
    if (note?.attachmentId) await this.#service.completeAttachment(note.attachmentId, signal);
  }

  async read({ signal }: VolumeWork, { attachmentId }: Holding): Promise<ConnectionInfo | null> {
    if (attachmentId === null) return null;
    const attachment = await this.#service.findAttachment(attachmentId, signal);
    return attachment?.connection ?? null;
  }

  async release({ signal }: VolumeWork, { attachmentId }: Holding): Promise<void> {
    if (attachmentId === null) return;
    await this.#service.deleteAttachment(attachmentId, signal).catch((error: unknown) => {
      throw explained(error);
    });
  }

  async purge(work: VolumeWork): Promise<void> {
    await this.connect(work, undefined);
    const note = await work.notes.get(work.volumeId);
    if (note?.attachmentId) await this.#service.deleteAttachment(note.attachmentId, work.signal);
  }

  plan(volumeId: string, { instanceUuid, nodeUuid }: Owner) {
    const call = (action: string): PlannedCall => ({ target: 'cinder', action });
    return {
      connect: [
        call(`POST /attachments: reserve volume ${volumeId} for instance ${instanceUuid}`),
        call(`PUT /attachments/<id>: export volume ${volumeId} to host ${nodeUuid}`),
      ],
      complete: call(`POST /attachments/<id>/action: os-complete for volume ${volumeId}`),
    };
  }

  /** Asks once more only after looking whether the first request, whose answer was lost, has made one. */
  async #create(work: VolumeWork): Promise<string> {
    const { volumeId, owner, connector, notes, signal } = work;
    const { instanceUuid } = owner;
    const note = await notes.put({
      volumeId,
      protocol: this.name,
      phase: 'reserving',
      attachmentId: null,
      instanceUuid,
      connector,
    });
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        return (await asking(work, this.#service.createAttachment(volumeId, instanceUuid, signal))).id;
      } catch (error) {
        if (!isRepeated && !mayHaveActed(error)) throw error;
        const { own } = await surveyVolume(this.#service, { volumeId, owner, note, signal });
        const [made] = own;
        if (made?.attachmentId) return made.attachmentId;
        if (isRepeated) throw error;
      }
    }
  }
}

/** For users that are no service Cinder asks Nova, and says only that Nova has it (409) or that something failed (500). */
function explained(error: unknown): unknown {
  if (!isServiceError(error) || (error.httpStatus !== 409 && error.httpStatus !== 500)) return error;
  const advice =
    'If it is about the Compute service: give the user of settings.cinder the role service, and restart the conductor, which keeps its token.';
  return cinderFailure(error.message, [error.hint, advice].filter(Boolean).join(' '), error);
}

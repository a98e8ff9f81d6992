import { explain, type PlannedCall } from '@ironbark/core';
import type { BlockStorage, ConnectionInfo, Volume } from '@ironbark/openstack';
import { cinderFailure, mayHaveActed, wasAnswered } from './failure.ts';
import type { AttachmentNote } from './journal-notes.ts';
import type { Owner } from './owner.ts';
import type { AttachmentProtocol, VolumeWork } from './protocol.ts';
import { asking } from './unsettled.ts';
import { describeHolder, surveyVolume, type Holding, type Survey } from './survey.ts';

/** Cinder wants to know where the machine mounts a volume, which nobody can say of a machine that boots from it. */
const mountpoint = 'ironic_mountpoint';

/**
 * Actions on the volume, for services without attachments. A reservation has neither an id nor an owner there, so that the journal
 * alone knows it.
 */
export class VolumeActionsProtocol implements AttachmentProtocol {
  readonly name = 'volume-actions';
  readonly #service: BlockStorage;

  constructor(service: BlockStorage) {
    this.#service = service;
  }

  async connect(work: VolumeWork, begun: Holding | undefined): Promise<ConnectionInfo> {
    if (begun === undefined) await this.#reserve(work);
    await this.#note(work, 'exporting', null);
    return await asking(work, this.#service.initializeConnection(work.volumeId, work.connector, work.signal));
  }

  /** The service lets two machines attach one volume that is not made for it, so it is looked up who has it. */
  async complete(work: VolumeWork): Promise<void> {
    const { volumeId, owner, notes, signal } = work;
    const failure = await asking(work, this.#service.attach(volumeId, owner.instanceUuid, mountpoint, signal)).catch(
      (error: unknown) => {
        if (mayHaveActed(error)) return error;
        throw error;
      },
    );
    const { volume, own, others } = await this.#survey(work, await notes.get(volumeId));
    const attached = own.find(({ stage }) => stage === 'attached');
    if (attached === undefined) throw failure ?? cinderFailure(`Cinder does not show volume ${volumeId} as attached.`);
    const [other] = others;
    if (other !== undefined && volume?.multiattach !== true) {
      throw cinderFailure(`Volume ${volumeId} was attached at the same time to ${describeHolder(other)}.`);
    }
    await this.#note(work, 'attached', attached.attachmentId);
  }

  async read(work: VolumeWork, _attached: Holding, { status }: Volume): Promise<ConnectionInfo> {
    if (status === 'detaching') await this.#service.rollDetaching(work.volumeId, work.signal);
    return await asking(work, this.#service.initializeConnection(work.volumeId, work.connector, work.signal));
  }

  /** None of these actions says which reservation or connection it is about, so a late one would end what is made next. */
  async release(work: VolumeWork, holding: Holding, volume: Volume): Promise<void> {
    await asking(work, this.#end(work, holding, volume));
  }

  async purge(work: VolumeWork): Promise<void> {
    await this.#reserve(work);
    await this.#note(work, 'exporting', null);
    await this.#withdraw(work);
  }

  plan(volumeId: string, { instanceUuid, nodeUuid }: Owner) {
    const call = (action: string): PlannedCall => {
      return { target: 'cinder', action: `POST /volumes/${volumeId}/action: ${action}` };
    };
    return {
      connect: [call('os-reserve'), call(`os-initialize_connection for host ${nodeUuid}`)],
      complete: call(`os-attach to instance ${instanceUuid}`),
    };
  }

  async #end(work: VolumeWork, holding: Holding, volume: Volume): Promise<void> {
    const { volumeId, connector, signal } = work;
    const isShared = volume.attachments.length > 0;
    if (holding.stage === 'reserved') await this.#service.unreserve(volumeId, signal);
    else if (holding.stage !== 'connected') await this.#detach(work, holding.attachmentId, volume.status);
    // The export is that of the others, and the end of an attachment would remove it.
    else if (isShared) await this.#service.terminateConnection(volumeId, connector, signal);
    else await this.#withdraw(work);
  }

  async #reserve(work: VolumeWork): Promise<void> {
    const { volumeId, signal } = work;
    const note = await this.#note(work, 'reserving', null);
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        return await asking(work, this.#service.reserve(volumeId, signal));
      } catch (error) {
        if (!isRepeated && !mayHaveActed(error)) {
          await this.#forgetRefused(work);
          throw error;
        }
        const { own } = await this.#survey(work, note);
        if (own.length > 0) return;
        if (isRepeated) throw error;
      }
    }
  }

  /** The reservation that Cinder has refused for is somebody else's, and the note would claim it. */
  async #forgetRefused({ volumeId, notes }: VolumeWork): Promise<void> {
    if ((await notes.unsettledUntil(volumeId)) === 0) await notes.delete(volumeId);
  }

  async #detach({ volumeId, connector, signal, log }: VolumeWork, attachmentId: string | null, status: string) {
    const service = this.#service;
    try {
      if (status === 'in-use') await service.beginDetaching(volumeId, signal);
      await service.terminateConnection(volumeId, connector, signal);
      await service.detach(volumeId, attachmentId, signal);
    } catch (error) {
      await service.rollDetaching(volumeId, signal).catch((reason: unknown) => {
        log.warn({ volume: volumeId, error: explain(reason) }, 'a volume may stay in status detaching');
      });
      throw error;
    }
  }

  /**
   * Takes an export back that nobody is attached to. `os-terminate_connection` alone would free the volume and leave its target on the
   * storage; only the end of an attachment removes that, so the volume is attached first.
   */
  async #withdraw(work: VolumeWork): Promise<void> {
    const { volumeId, owner, connector, notes, signal, log } = work;
    try {
      await asking(work, this.#service.initializeConnection(volumeId, connector, signal));
    } catch (error) {
      // When the storage refuses, Cinder itself has removed what it had exported.
      if (!wasAnswered(error)) throw error;
      return await this.#service.unreserve(volumeId, signal);
    }
    try {
      await asking(work, this.#service.attach(volumeId, owner.instanceUuid, mountpoint, signal));
    } catch (error) {
      if (mayHaveActed(error)) throw error;
      log.warn({ volume: volumeId, error: explain(error) }, 'the export of a volume may stay on the storage');
      return await this.#service.terminateConnection(volumeId, connector, signal);
    }
    const { volume, own } = await this.#survey(work, await notes.get(volumeId));
    for (const { attachmentId } of own) await this.#detach(work, attachmentId, volume?.status ?? '');
  }

  async #note(work: VolumeWork, phase: AttachmentNote['phase'], attachmentId: string | null): Promise<AttachmentNote> {
    const { volumeId, owner, connector, notes } = work;
    return await notes.put({
      volumeId,
      protocol: this.name,
      phase,
      attachmentId,
      instanceUuid: owner.instanceUuid,
      connector,
    });
  }

  #survey({ volumeId, owner, signal }: VolumeWork, note: AttachmentNote | undefined): Promise<Survey> {
    return surveyVolume(this.#service, { volumeId, owner, note, signal });
  }
}

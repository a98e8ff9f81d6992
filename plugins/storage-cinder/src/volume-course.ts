import { isDeepStrictEqual } from 'node:util';
import { type AttachedVolume, type VolumeConnection, type VolumeOutcome, type VolumeTarget } from '@ironbark/core';
import type { ConnectionInfo, Volume } from '@ironbark/openstack';
import { parseConnection } from './connection.ts';
import { cinderFailure } from './failure.ts';
import type { AttachmentNote } from './journal-notes.ts';
import { markVolume, marksOf } from './metadata.ts';
import type { AttachmentProtocol, CinderContext, VolumeWork } from './protocol.ts';
import { chooseProtocol, protocolOf } from './protocols.ts';
import { refusalOf } from './refusal.ts';
import { releaseVolume } from './release.ts';
import { surveyVolume, type Holding } from './survey.ts';
import { keepUnsettled } from './unsettled.ts';

/** One volume on its way to a node. */
export class VolumeCourse {
  readonly target: VolumeTarget;
  readonly #context: CinderContext;
  readonly #work: VolumeWork;
  readonly #startedAt = performance.now();
  #volume: Volume | null = null;
  #connection: VolumeConnection | undefined;
  /** Missing for a volume that was attached already. */
  #protocol: AttachmentProtocol | undefined;

  constructor(context: CinderContext, target: VolumeTarget, work: VolumeWork) {
    this.target = target;
    this.#context = context;
    this.#work = work;
  }

  get volumeId(): string {
    return this.target.volumeId;
  }

  /** Whether something was made for the volume, or may have been: what has to be released when the attachment is given up. */
  get isBegun(): boolean {
    return this.#protocol !== undefined;
  }

  /** Adopts the volume when it is attached to the node, goes on where an earlier call stopped, or begins. */
  async connect(): Promise<void> {
    const { notes, volumeId, signal } = this.#work;
    const note = await notes.get(volumeId);
    const survey = await surveyVolume(this.#context.service, { ...this.#work, note });
    const { hasAttachments } = await this.#context.service.capabilities(signal);
    const refusal = refusalOf(this.target, survey, { sharesVolumes: hasAttachments });
    if (refusal !== undefined) throw cinderFailure(refusal);
    this.#volume = survey.volume;
    const best = survey.own.at(-1);
    const info = await (best?.stage === 'attached' ? this.#adopt(best, note) : this.#begin(best, note));
    this.#connection = parseConnection(this.target, info);
  }

  /** Marks the volume as attached, in Cinder's books. */
  async complete(): Promise<void> {
    await this.#protocol?.complete(this.#work);
  }

  /** Notes on the volume that the node uses it, unless it says so already. */
  async mark(): Promise<void> {
    const { owner } = this.#work;
    if (this.#volume === null) return;
    const mark = marksOf(this.#volume).find(({ nodeUuid }) => nodeUuid === owner.nodeUuid);
    if (!this.isBegun && mark?.lastAction === 'attached') return;
    await markVolume({ ...this.#work, service: this.#context.service, volume: this.#volume }, 'attached');
  }

  async release(): Promise<void> {
    await releaseVolume(this.#context, this.#work, { isOwnWork: true, isLast: false, isForGood: false });
  }

  outcome(result: VolumeOutcome['result'], error: string | null = null): VolumeOutcome {
    return { volumeId: this.volumeId, result, durationMs: Math.round(performance.now() - this.#startedAt), error };
  }

  attached(): AttachedVolume {
    if (this.#connection === undefined) throw new TypeError(`Volume ${this.volumeId} is not connected.`);
    return { target: this.target, connection: this.#connection };
  }

  async #adopt(holding: Holding, note: AttachmentNote | undefined): Promise<ConnectionInfo> {
    const { volumeId, notes, owner, connector, log } = this.#work;
    const protocol = await protocolOf(this.#context, this.#work, holding, note);
    if (note !== undefined && !isDeepStrictEqual(note.connector, connector)) {
      log.warn(
        { volume: volumeId, exportedTo: note.connector, connector },
        'a volume is exported to an earlier connector',
      );
    }
    if (note?.attachmentId !== holding.attachmentId) {
      const instanceUuid = holding.instanceUuid ?? owner.instanceUuid;
      const { attachmentId } = holding;
      await notes.put({ volumeId, protocol: protocol.name, phase: 'attached', attachmentId, instanceUuid, connector });
    }
    const work = { ...this.#work, connector: note?.connector ?? connector };
    const info = this.#volume === null ? null : await protocol.read(work, holding, this.#volume);
    if (info === null) throw cinderFailure(`Cinder tells no connection of attachment ${holding.attachmentId}.`);
    return info;
  }

  async #begin(holding: Holding | undefined, note: AttachmentNote | undefined): Promise<ConnectionInfo> {
    if (note !== undefined) await keepUnsettled(this.#work, note);
    let begun = holding;
    if (begun?.stage === 'broken') {
      await releaseVolume(this.#context, this.#work, { isOwnWork: true, isLast: false, isForGood: false });
      begun = undefined;
    }
    this.#protocol = await (begun === undefined
      ? chooseProtocol(this.#context, this.#work.signal)
      : protocolOf(this.#context, this.#work, begun, note));
    return await this.#protocol.connect(this.#work, begun);
  }
}

import { IronbarkError, type InfoValue, type Journal } from '@ironbark/core';
import type { Connector } from '@ironbark/openstack';
import { z } from 'zod';

/** The two ways in which Cinder attaches volumes. */
export type ProtocolName = 'attachments' | 'volume-actions';

/**
 * What the journal of a node says about one of its volumes. It is written before Cinder is asked, so Cinder may be behind it, never
 * ahead.
 */
export interface AttachmentNote {
  readonly volumeId: string;
  readonly protocol: ProtocolName;
  /**
   * - `reserving`: Cinder may hold a reservation; nothing is exported.
   * - `exporting`: the volume may be exported.
   * - `attached`: Cinder has it as attached.
   */
  readonly phase: 'reserving' | 'exporting' | 'attached';
  /** Null as long as Cinder has not told it. */
  readonly attachmentId: string | null;
  readonly instanceUuid: string;
  readonly connector: Connector;
  /** When Cinder was asked for what the phase says, in milliseconds since the epoch. */
  readonly askedAt: number;
}

const prefix = 'attachment:';
const unsettledPrefix = 'unsettled:';

const connectorSchema = z.object({
  host: z.string(),
  initiator: z.string().optional(),
  ip: z.string().optional(),
  wwpns: z.array(z.string()).optional(),
  wwnns: z.array(z.string()).optional(),
  multipath: z.literal(true).optional(),
});

const noteSchema = z.object({
  volumeId: z.string(),
  protocol: z.enum(['attachments', 'volume-actions']),
  phase: z.enum(['reserving', 'exporting', 'attached']),
  attachmentId: z.string().nullable(),
  instanceUuid: z.string(),
  connector: connectorSchema,
  askedAt: z.number(),
});

/** The notes of one node about its volumes, one for each. */
export class AttachmentNotes {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async get(volumeId: string): Promise<AttachmentNote | undefined> {
    const value = await this.#journal.get(prefix + volumeId);
    return value === undefined ? undefined : read(value);
  }

  async list(): Promise<readonly AttachmentNote[]> {
    const notes = [...(await this.#journal.list())];
    return notes.filter(([key]) => key.startsWith(prefix)).map(([, value]) => read(value));
  }

  /** @throws LOCK_LOST when another conductor has taken the node over. */
  async put(content: Omit<AttachmentNote, 'askedAt'>): Promise<AttachmentNote> {
    const note = { askedAt: Date.now(), ...content };
    await this.#journal.put(prefix + note.volumeId, { ...note, connector: { ...note.connector } });
    return note;
  }

  /** Deletes all that is known about a volume, the note last: it is by notes that a volume is found again after a crash. */
  async delete(volumeId: string): Promise<void> {
    for (const key of [unsettledPrefix + volumeId, prefix + volumeId]) {
      if ((await this.#journal.get(key)) !== undefined) await this.#journal.delete(key);
    }
  }

  /** Until when a request may still be under way whose answer was lost; in milliseconds since the epoch, 0 when there is none. */
  async unsettledUntil(volumeId: string): Promise<number> {
    const value = await this.#journal.get(unsettledPrefix + volumeId);
    return typeof value === 'number' ? value : 0;
  }

  async putUnsettled(volumeId: string, until: number): Promise<void> {
    await this.#journal.put(unsettledPrefix + volumeId, until);
  }
}

function read(value: InfoValue): AttachmentNote {
  const note = noteSchema.safeParse(value);
  if (note.success) return note.data as AttachmentNote;
  throw new IronbarkError('INTERNAL', 'The journal of the node holds a note about a volume that cannot be read.', {
    hint: 'It was written by another version of the storage interface cinder; use that version to undeploy the node.',
    cause: note.error,
  });
}

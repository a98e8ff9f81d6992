import type { VolumeAttachment } from '@ironbark/core';
import { sql, type Kysely } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { AttachmentTable, Fence } from '../store.ts';
import { isHeld, lockLost } from './document-table.ts';
import type { Schema } from './schema.ts';

export class SqliteAttachmentTable implements AttachmentTable {
  readonly #db: Kysely<Schema>;
  readonly #sealer: Sealer;

  constructor(db: Kysely<Schema>, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async list(nodeUuid: string): Promise<readonly VolumeAttachment[]> {
    const rows = await this.#db
      .selectFrom('attachments')
      .select('doc')
      .where('node_uuid', '=', nodeUuid)
      .orderBy('boot_index')
      .execute();
    return rows.map((row) => this.#sealer.decode(row.doc) as VolumeAttachment);
  }

  async replace(nodeUuid: string, attachments: readonly VolumeAttachment[], fence?: Fence): Promise<void> {
    const write = async (transaction: Kysely<Schema>) => {
      if (fence !== undefined) {
        const { rows } = await sql`SELECT 1 WHERE ${isHeld(fence)}`.execute(transaction);
        if (rows.length === 0) throw lockLost(fence);
      }
      await transaction.deleteFrom('attachments').where('node_uuid', '=', nodeUuid).execute();
      if (attachments.length === 0) return;
      const rows = attachments.map((attachment) => ({
        node_uuid: nodeUuid,
        boot_index: attachment.bootIndex,
        doc: this.#sealer.encode(attachment),
      }));
      await transaction.insertInto('attachments').values(rows).execute();
    };
    await (this.#db.isTransaction ? write(this.#db) : this.#db.transaction().execute(write));
  }
}

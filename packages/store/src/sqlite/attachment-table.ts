import type { VolumeAttachment } from '@ironbark/core';
import { sql } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { AttachmentTable, Fence } from '../store.ts';
import type { Database } from './database.ts';
import { isHeld, lockLost } from './fence.ts';

export class SqliteAttachmentTable implements AttachmentTable {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async list(nodeUuid: string): Promise<readonly VolumeAttachment[]> {
    const rows = await this.#db.rows(
      sql<{ doc: string }>`SELECT doc FROM attachments WHERE node_uuid = ${nodeUuid} ORDER BY boot_index`,
    );
    return rows.map((row) => this.#sealer.decode(row.doc) as VolumeAttachment);
  }

  async replace(nodeUuid: string, attachments: readonly VolumeAttachment[], fence?: Fence): Promise<void> {
    await this.#db.transaction(async (transaction) => {
      if (fence !== undefined) {
        const held = await transaction.rows(sql`SELECT 1 WHERE ${isHeld(fence)}`);
        if (held.length === 0) throw lockLost(fence);
      }
      await transaction.change(sql`DELETE FROM attachments WHERE node_uuid = ${nodeUuid}`);
      for (const attachment of attachments) {
        const doc = this.#sealer.encode(attachment);
        await transaction.change(
          sql`INSERT INTO attachments (node_uuid, boot_index, doc) VALUES (${nodeUuid}, ${attachment.bootIndex}, ${doc})`,
        );
      }
    });
  }
}

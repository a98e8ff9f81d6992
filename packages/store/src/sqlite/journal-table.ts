import type { InfoValue } from '@ironbark/core';
import { sql, type Kysely } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { Fence, JournalTable } from '../store.ts';
import { isHeld, lockLost } from './document-table.ts';
import type { Schema } from './schema.ts';

export class SqliteJournalTable implements JournalTable {
  readonly #db: Kysely<Schema>;
  readonly #sealer: Sealer;

  constructor(db: Kysely<Schema>, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async get(nodeUuid: string, scope: string, key: string): Promise<InfoValue | undefined> {
    const query = this.#db
      .selectFrom('journal')
      .select('doc')
      .where('node_uuid', '=', nodeUuid)
      .where('scope', '=', scope)
      .where('key', '=', key);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : (this.#sealer.decode(row.doc) as InfoValue);
  }

  async put(nodeUuid: string, scope: string, key: string, value: InfoValue, fence?: Fence): Promise<void> {
    const condition = fence === undefined ? sql`true` : isHeld(fence);
    const { numAffectedRows } = await sql`
      INSERT INTO journal (node_uuid, scope, key, doc) SELECT ${nodeUuid}, ${scope}, ${key}, ${this.#sealer.encode(value)} WHERE ${condition}
      ON CONFLICT (node_uuid, scope, key) DO UPDATE SET doc = excluded.doc`.execute(this.#db);
    if (numAffectedRows === 0n) throw lockLost(fence);
  }

  async delete(nodeUuid: string, scope: string, key: string, fence?: Fence): Promise<void> {
    const condition = fence === undefined ? sql`true` : isHeld(fence);
    await sql`DELETE FROM journal WHERE node_uuid = ${nodeUuid} AND scope = ${scope} AND key = ${key} AND ${condition}`.execute(
      this.#db,
    );
  }

  async list(nodeUuid: string, scope: string): Promise<ReadonlyMap<string, InfoValue>> {
    const rows = await this.#db
      .selectFrom('journal')
      .select(['key', 'doc'])
      .where('node_uuid', '=', nodeUuid)
      .where('scope', '=', scope)
      .execute();
    return new Map(rows.map((row) => [row.key, this.#sealer.decode(row.doc) as InfoValue]));
  }
}

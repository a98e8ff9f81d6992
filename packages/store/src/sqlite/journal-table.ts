import type { InfoValue } from '@ironbark/core';
import { sql } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { Fence, JournalTable } from '../store.ts';
import type { Database } from './database.ts';
import { isHeld, lockLost } from './fence.ts';

export class SqliteJournalTable implements JournalTable {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async get(nodeUuid: string, scope: string, key: string): Promise<InfoValue | undefined> {
    const [row] = await this.#db.rows(
      sql<{ doc: string }>`SELECT doc FROM journal WHERE node_uuid = ${nodeUuid} AND scope = ${scope} AND key = ${key}`,
    );
    return row === undefined ? undefined : (this.#sealer.decode(row.doc) as InfoValue);
  }

  async put(nodeUuid: string, scope: string, key: string, value: InfoValue, fence?: Fence): Promise<void> {
    const condition = fence === undefined ? sql`true` : isHeld(fence);
    const changed = await this.#db.change(sql`
      INSERT INTO journal (node_uuid, scope, key, doc) SELECT ${nodeUuid}, ${scope}, ${key}, ${this.#sealer.encode(value)} WHERE ${condition}
      ON CONFLICT (node_uuid, scope, key) DO UPDATE SET doc = excluded.doc`);
    if (changed === 0) throw lockLost(fence);
  }

  async delete(nodeUuid: string, scope: string, key: string, fence?: Fence): Promise<void> {
    const condition = fence === undefined ? sql`true` : isHeld(fence);
    const note = sql`FROM journal WHERE node_uuid = ${nodeUuid} AND scope = ${scope} AND key = ${key}`;
    const changed = await this.#db.change(sql`DELETE ${note} AND ${condition}`);
    if (changed === 0 && (await this.#db.rows(sql`SELECT 1 ${note}`)).length > 0) throw lockLost(fence);
  }

  async list(nodeUuid: string, scope: string): Promise<ReadonlyMap<string, InfoValue>> {
    const rows = await this.#db.rows(
      sql<{
        key: string;
        doc: string;
      }>`SELECT key, doc FROM journal WHERE node_uuid = ${nodeUuid} AND scope = ${scope}`,
    );
    return new Map(rows.map((row) => [row.key, this.#sealer.decode(row.doc) as InfoValue]));
  }
}

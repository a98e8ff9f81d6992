import { timestamp } from '@ironbark/core';
import { sql, type Kysely } from 'kysely';
import type { Fence, Lock, LockTable } from '../store.ts';
import type { Schema } from './schema.ts';

/** A lock keeps its row when it is released, so that its number only ever grows. */
export class SqliteLockTable implements LockTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async acquire(nodeUuid: string, owner: string, leaseMs: number, takeOver = false): Promise<Lock | undefined> {
    const expiresAt = expiry(leaseMs);
    const { rows } = await sql<{ fence: number }>`
      INSERT INTO locks (node_uuid, owner, fence, expires_at) VALUES (${nodeUuid}, ${owner}, 1, ${expiresAt})
      ON CONFLICT (node_uuid) DO UPDATE SET owner = excluded.owner, fence = fence + 1, expires_at = excluded.expires_at
      WHERE owner IS NULL OR expires_at < ${timestamp()} OR (${takeOver ? 1 : 0} = 1 AND owner = excluded.owner)
      RETURNING fence`.execute(this.#db);
    return rows[0] === undefined ? undefined : { nodeUuid, owner, fence: rows[0].fence, expiresAt };
  }

  async find(nodeUuid: string): Promise<Lock | undefined> {
    const row = await this.#db.selectFrom('locks').selectAll().where('node_uuid', '=', nodeUuid).executeTakeFirst();
    return row === undefined || row.owner === null
      ? undefined
      : { nodeUuid, owner: row.owner, fence: row.fence, expiresAt: row.expires_at };
  }

  async renew(owner: string, leaseMs: number): Promise<void> {
    await this.#db
      .updateTable('locks')
      .set({ expires_at: expiry(leaseMs) })
      .where('owner', '=', owner)
      .execute();
  }

  async releaseIdle(owner: string): Promise<void> {
    await sql`UPDATE locks SET owner = NULL WHERE owner = ${owner} AND node_uuid NOT IN
      (SELECT node_uuid FROM operations WHERE state IN ('running', 'waiting', 'compensating'))`.execute(this.#db);
  }

  async release({ nodeUuid, fence }: Fence): Promise<void> {
    await sql`UPDATE locks SET owner = NULL WHERE node_uuid = ${nodeUuid} AND fence = ${fence}`.execute(this.#db);
  }
}

function expiry(leaseMs: number): string {
  return timestamp(new Date(Date.now() + leaseMs));
}

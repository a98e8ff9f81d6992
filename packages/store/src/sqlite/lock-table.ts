import { timestamp } from '@ironbark/core';
import { sql } from 'kysely';
import type { Fence, Lock, LockTable } from '../store.ts';
import { translateConstraint } from './constraints.ts';
import type { Database } from './database.ts';

interface LockRow {
  readonly owner: string;
  readonly fence: number;
  readonly expires_at: string;
}

/**
 * A lock keeps its row when it is released, so that its number only ever grows. Taking and releasing one is not flushed: after a power
 * cut nobody is left who could use the number, and whatever was written under it and kept has kept the lock as well.
 */
export class SqliteLockTable implements LockTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async acquire(nodeUuid: string, owner: string, leaseMs: number, takeOver = false): Promise<Lock | undefined> {
    const expiresAt = expiry(leaseMs);
    const query = sql<{ fence: number }>`
      INSERT INTO locks (node_uuid, owner, fence, expires_at) VALUES (${nodeUuid}, ${owner}, 1, ${expiresAt})
      ON CONFLICT (node_uuid) DO UPDATE SET owner = excluded.owner, fence = fence + 1, expires_at = excluded.expires_at
      WHERE owner IS NULL OR (owner <> excluded.owner AND expires_at < ${timestamp()}) OR (owner = excluded.owner AND ${takeOver ? 1 : 0} = 1)
      RETURNING fence`;
    const [row] = await this.#db.rows(query, 'ordered').catch((error: unknown) => {
      throw translateConstraint(error, {});
    });
    return row === undefined ? undefined : { nodeUuid, owner, fence: row.fence, expiresAt };
  }

  async find(nodeUuid: string): Promise<Lock | undefined> {
    const [row] = await this.#db.rows(
      sql<LockRow>`SELECT owner, fence, expires_at FROM locks WHERE node_uuid = ${nodeUuid} AND owner IS NOT NULL`,
    );
    return row === undefined ? undefined : { nodeUuid, owner: row.owner, fence: row.fence, expiresAt: row.expires_at };
  }

  async renew(owner: string, leaseMs: number): Promise<void> {
    await this.#db.change(sql`UPDATE locks SET expires_at = ${expiry(leaseMs)} WHERE owner = ${owner}`);
  }

  async releaseIdle(owner: string): Promise<void> {
    await this.#db.change(sql`UPDATE locks SET owner = NULL WHERE owner = ${owner} AND node_uuid NOT IN
      (SELECT node_uuid FROM operations WHERE state IN ('running', 'waiting', 'compensating'))`);
  }

  async release({ nodeUuid, fence }: Fence): Promise<void> {
    const query = sql`UPDATE locks SET owner = NULL WHERE node_uuid = ${nodeUuid} AND fence = ${fence}`;
    await this.#db.change(query, 'ordered');
  }
}

function expiry(leaseMs: number): string {
  return timestamp(new Date(Date.now() + leaseMs));
}

import { timestamp } from '@ironbark/core';
import type { Kysely } from 'kysely';
import type { Conductor, ConductorTable } from '../store.ts';
import type { Schema } from './schema.ts';

export class SqliteConductorTable implements ConductorTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async touch(hostname: string, conductorGroup: string, drivers: readonly string[]): Promise<void> {
    const now = timestamp();
    const current = { conductor_group: conductorGroup, drivers: JSON.stringify(drivers), updated_at: now };
    await this.#db
      .insertInto('conductors')
      .values({ hostname, created_at: now, ...current })
      .onConflict((conflict) => conflict.column('hostname').doUpdateSet(current))
      .execute();
  }

  async list(aliveWithinMs: number): Promise<readonly Conductor[]> {
    const limit = timestamp(new Date(Date.now() - aliveWithinMs));
    const rows = await this.#db.selectFrom('conductors').selectAll().orderBy('hostname').execute();
    return rows.map((row) => ({
      hostname: row.hostname,
      conductorGroup: row.conductor_group,
      drivers: JSON.parse(row.drivers) as string[],
      alive: row.updated_at >= limit,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }));
  }
}

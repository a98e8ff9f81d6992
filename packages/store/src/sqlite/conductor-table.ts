import { timestamp } from '@ironbark/core';
import { sql } from 'kysely';
import type { Conductor, ConductorTable } from '../store.ts';
import type { Database } from './database.ts';

interface ConductorRow {
  readonly hostname: string;
  readonly conductor_group: string;
  readonly drivers: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export class SqliteConductorTable implements ConductorTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async touch(hostname: string, conductorGroup: string, drivers: readonly string[]): Promise<void> {
    const now = timestamp();
    await this.#db.change(sql`
      INSERT INTO conductors (hostname, conductor_group, drivers, created_at, updated_at)
      VALUES (${hostname}, ${conductorGroup}, ${JSON.stringify(drivers)}, ${now}, ${now})
      ON CONFLICT (hostname) DO UPDATE SET conductor_group = excluded.conductor_group, drivers = excluded.drivers, updated_at = excluded.updated_at`);
  }

  async list(aliveWithinMs: number): Promise<readonly Conductor[]> {
    const limit = timestamp(new Date(Date.now() - aliveWithinMs));
    const rows = await this.#db.rows(sql<ConductorRow>`SELECT * FROM conductors ORDER BY hostname`);
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

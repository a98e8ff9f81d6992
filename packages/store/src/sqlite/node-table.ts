import type { Node, ProvisionState } from '@ironbark/core';
import { sql } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { NodeFilter, NodeTable } from '../store.ts';
import type { Database } from './database.ts';
import { DocumentTable } from './document-table.ts';
import { nodeConditions } from './filters.ts';

/** Nodes; the reservation is read from the locks, so that there is one truth about who holds a node. */
export class SqliteNodeTable extends DocumentTable<Node, NodeFilter> implements NodeTable {
  readonly #db: Database;

  constructor(db: Database, sealer: Sealer) {
    const overlay = sql<string>`(SELECT json_object('reservation', owner) FROM locks WHERE node_uuid = nodes.uuid AND owner IS NOT NULL)`;
    super(db, sealer, { name: 'nodes', label: 'Node', where: nodeConditions, overlay });
    this.#db = db;
  }

  async findByName(name: string): Promise<Node | undefined> {
    return this.findWhere(sql`name = ${name}`);
  }

  async uuids(): Promise<readonly string[]> {
    const rows = await this.#db.rows(sql<{ uuid: string }>`SELECT uuid FROM nodes ORDER BY id`);
    return rows.map(({ uuid }) => uuid);
  }

  async countByProvisionState(): Promise<ReadonlyMap<ProvisionState, number>> {
    const rows = await this.#db.rows(
      sql<{
        state: ProvisionState;
        count: number;
      }>`SELECT provision_state AS state, count(*) AS count FROM nodes GROUP BY provision_state`,
    );
    return new Map(rows.map(({ state, count }) => [state, count]));
  }
}

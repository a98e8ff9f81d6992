import { sql } from 'kysely';
import type { HistoryEntry } from '../operation.ts';
import type { Sealer } from '../sealing.ts';
import type { HistoryTable, VolumeFilter } from '../store.ts';
import type { Database } from './database.ts';
import { DocumentTable } from './document-table.ts';
import { volumeConditions } from './filters.ts';

/** Entries kept per node; older ones are dropped, so that a machine in a boot loop does not fill the disk. */
const entriesPerNode = 300;

export class SqliteHistoryTable implements HistoryTable {
  readonly #db: Database;
  readonly #documents: DocumentTable<HistoryEntry, VolumeFilter>;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#documents = new DocumentTable(db, sealer, {
      name: 'history',
      label: 'History entry',
      where: volumeConditions,
    });
  }

  async append(entry: HistoryEntry): Promise<void> {
    await this.#documents.insert(entry);
    await this.#db.change(sql`DELETE FROM history WHERE node_uuid = ${entry.nodeUuid} AND id NOT IN
      (SELECT id FROM history WHERE node_uuid = ${entry.nodeUuid} ORDER BY id DESC LIMIT ${entriesPerNode})`);
  }

  async list(nodeUuid: string): Promise<readonly HistoryEntry[]> {
    return this.#documents.list({ filter: { nodeUuid } });
  }

  async find(uuid: string): Promise<HistoryEntry | undefined> {
    return this.#documents.find(uuid);
  }
}

import { sql, type SqlBool } from 'kysely';
import type { Operation } from '../operation.ts';
import type { Sealer } from '../sealing.ts';
import type { Fence, OperationTable } from '../store.ts';
import type { Database } from './database.ts';
import { DocumentTable } from './document-table.ts';

interface OperationFilter {
  readonly nodeUuid?: string;
  readonly open?: boolean;
}

/** Finished operations kept per node; older ones are dropped when a new one begins. */
const operationsPerNode = 100;

export class SqliteOperationTable implements OperationTable {
  readonly #db: Database;
  readonly #documents: DocumentTable<Operation, OperationFilter>;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#documents = new DocumentTable(db, sealer, {
      name: 'operations',
      label: 'Operation',
      where: ({ nodeUuid, open }) => [
        ...(nodeUuid === undefined ? [] : [sql<SqlBool>`node_uuid = ${nodeUuid}`]),
        ...(open === true ? [sql<SqlBool>`state IN ('running', 'waiting', 'compensating')`] : []),
      ],
    });
  }

  async insert(operation: Operation, fence: Fence): Promise<void> {
    await this.#documents.insert(operation, fence);
    await this.#db
      .change(sql`DELETE FROM operations WHERE id <= (SELECT id FROM operations WHERE node_uuid = ${operation.nodeUuid}
      ORDER BY id DESC LIMIT 1 OFFSET ${operationsPerNode}) AND node_uuid = ${operation.nodeUuid} AND state NOT IN ('running', 'waiting', 'compensating')`);
  }

  /**
   * The progress of an operation is not flushed by itself: after a power cut it goes on at a step that had already ended, which is safe
   * to repeat, and what that step noted in the journal is on disk. Its end is flushed, with the transaction that it is part of.
   */
  async update(uuid: string, changes: Partial<Operation>, fence: Fence): Promise<Operation> {
    return this.#documents.update(uuid, changes, fence, 'ordered');
  }

  async find(uuid: string): Promise<Operation | undefined> {
    return this.#documents.find(uuid);
  }

  async listOfNode(nodeUuid: string, limit: number): Promise<readonly Operation[]> {
    return this.#documents.list({ filter: { nodeUuid }, sortDirection: 'desc', limit });
  }

  async listOpen(): Promise<readonly Operation[]> {
    return this.#documents.list({ filter: { open: true } });
  }
}

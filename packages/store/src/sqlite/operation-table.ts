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

export class SqliteOperationTable implements OperationTable {
  readonly #documents: DocumentTable<Operation, OperationFilter>;

  constructor(db: Database, sealer: Sealer) {
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
  }

  async update(uuid: string, changes: Partial<Operation>, fence: Fence): Promise<Operation> {
    return this.#documents.update(uuid, changes, fence);
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

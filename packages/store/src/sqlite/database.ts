import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { createQueryId, SqliteQueryCompiler, type RawBuilder } from 'kysely';

/**
 * When a change is safe from a power cut. `flushed`: when its promise settles. `ordered`: when a later change is, because the write-ahead
 * log keeps their order; it costs half as much. A process that dies loses neither.
 */
export type Durability = 'flushed' | 'ordered';

/**
 * Runs queries that kysely's `sql` has put together on a connection. A query is run at once and as a whole; nothing comes between the
 * queries of a transaction.
 */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements: Map<string, StatementSync>;
  readonly #compiler: SqliteQueryCompiler;
  /** Whether this is the database as the work of a transaction sees it. */
  readonly isTransaction: boolean;
  /** Settles when the transaction that is open has ended. */
  #transactionEnd: Promise<void> | undefined;

  constructor(connection: DatabaseSync, outer?: Database) {
    this.#connection = connection;
    this.#statements = outer === undefined ? new Map<string, StatementSync>() : outer.#statements;
    this.#compiler = outer === undefined ? new SqliteQueryCompiler() : outer.#compiler;
    this.isTransaction = outer !== undefined;
  }

  async rows<Row>(query: RawBuilder<Row>, durability: Durability = 'flushed'): Promise<readonly Row[]> {
    while (this.#transactionEnd !== undefined) await this.#transactionEnd;
    const { statement, parameters } = this.#prepare(query);
    return this.#run(durability, () => statement.all(...parameters)) as unknown as readonly Row[];
  }

  /** @returns the number of rows that the query has changed. */
  async change(query: RawBuilder<unknown>, durability: Durability = 'flushed'): Promise<number> {
    while (this.#transactionEnd !== undefined) await this.#transactionEnd;
    const { statement, parameters } = this.#prepare(query);
    return this.#run(durability, () => Number(statement.run(...parameters).changes));
  }

  /** Runs the work with a database of its own: all of its queries take effect, or none. Inside a transaction it is part of that one. */
  async transaction<Result>(work: (transaction: Database) => Promise<Result>): Promise<Result> {
    if (this.isTransaction) return work(this);
    while (this.#transactionEnd !== undefined) await this.#transactionEnd;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Immediate, so that another process that writes meanwhile is waited for: a transaction that has read already could not wait any more.
    this.#connection.exec('BEGIN IMMEDIATE');
    this.#transactionEnd = promise;
    try {
      const result = await work(new Database(this.#connection, this));
      this.#connection.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has taken some failures back by itself, a full disk for example.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    } finally {
      this.#transactionEnd = undefined;
      resolve();
    }
  }

  /** Closes the connection when the transaction that is open has ended. */
  async close(): Promise<void> {
    while (this.#transactionEnd !== undefined) await this.#transactionEnd;
    this.#connection.close();
  }

  /** A transaction is flushed as a whole, at its end. */
  #run<Result>(durability: Durability, execute: () => Result): Result {
    if (durability === 'flushed' || this.isTransaction) return execute();
    this.#connection.exec('PRAGMA synchronous = NORMAL');
    try {
      return execute();
    } finally {
      this.#connection.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Statements are kept: what differs between queries of one kind are parameters, so there are few. */
  #prepare(query: RawBuilder<unknown>): { readonly statement: StatementSync; readonly parameters: SQLInputValue[] } {
    const compiled = this.#compiler.compileQuery(query.toOperationNode(), createQueryId());
    let statement = this.#statements.get(compiled.sql);
    if (statement === undefined)
      this.#statements.set(compiled.sql, (statement = this.#connection.prepare(compiled.sql)));
    return { statement, parameters: compiled.parameters as SQLInputValue[] };
  }
}

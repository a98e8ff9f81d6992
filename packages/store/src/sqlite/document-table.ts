import { invalidParameter, notFound } from '@ironbark/core';
import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { Fence, ListQuery, Table } from '../store.ts';
import { translateConstraint } from './constraints.ts';
import type { Database, Durability } from './database.ts';
import { isHeld, lockLost } from './fence.ts';
import type { DocumentTableName } from './migrations.ts';

export interface DocumentTableOptions<Filter> {
  readonly name: DocumentTableName;
  /** What a record is called in error messages. */
  readonly label: string;
  /** Conditions of a filter; all must hold. */
  readonly where: (filter: Filter) => readonly RawBuilder<SqlBool>[];
  /** SQL of a JSON text whose fields are added to the document when it is read. */
  readonly overlay?: RawBuilder<string>;
}

interface DocumentOnly {
  readonly doc: string;
  readonly overlay?: string | null;
}

/** A table of JSON documents with a uuid each. */
export class DocumentTable<Row extends { readonly uuid: string }, Filter> implements Table<Row, Filter> {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #options: DocumentTableOptions<Filter>;
  readonly #table: RawBuilder<unknown>;
  readonly #columns: RawBuilder<unknown>;

  constructor(db: Database, sealer: Sealer, options: DocumentTableOptions<Filter>) {
    this.#db = db;
    this.#sealer = sealer;
    this.#options = options;
    this.#table = sql.table(options.name);
    this.#columns = options.overlay === undefined ? sql`doc` : sql`doc, ${options.overlay} AS overlay`;
  }

  async list(query: ListQuery<Filter>): Promise<readonly Row[]> {
    const key = sortExpression(query.sortKey);
    const descending = query.sortDirection === 'desc';
    const conditions = [...this.#options.where(query.filter), ...(await this.#afterMarker(query, key, descending))];
    const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
    const direction = descending ? sql`DESC` : sql`ASC`;
    const order = key === undefined ? sql`id ${direction}` : sql`${key} ${direction}, id ${direction}`;
    const limit = query.limit === undefined ? sql`` : sql`LIMIT ${query.limit}`;
    const statement = sql<DocumentOnly>`SELECT ${this.#columns} FROM ${this.#table} ${where} ORDER BY ${order} ${limit}`;
    const rows = await this.#db.rows(statement);
    return rows.map((row) => this.#decode(row));
  }

  async #afterMarker(
    query: ListQuery<Filter>,
    key: RawBuilder<unknown> | undefined,
    descending: boolean,
  ): Promise<readonly RawBuilder<SqlBool>[]> {
    if (query.marker === undefined) return [];
    const statement = sql<{
      id: number;
      key: unknown;
    }>`SELECT id, ${key ?? sql`NULL`} AS key FROM ${this.#table} WHERE uuid = ${query.marker}`;
    const [marker] = await this.#db.rows(statement);
    if (marker === undefined) throw notFound('The marker', query.marker);
    const after = descending ? sql`<` : sql`>`;
    return [
      key === undefined ? sql`id ${after} ${marker.id}` : sql`(${key}, id) ${after} (${marker.key}, ${marker.id})`,
    ];
  }

  async find(uuid: string): Promise<Row | undefined> {
    return this.findWhere(sql`uuid = ${uuid}`);
  }

  async findWhere(condition: RawBuilder<SqlBool>): Promise<Row | undefined> {
    const [row] = await this.#db.rows(
      sql<DocumentOnly>`SELECT ${this.#columns} FROM ${this.#table} WHERE ${condition}`,
    );
    return row === undefined ? undefined : this.#decode(row);
  }

  async insert(row: Row, fence?: Fence): Promise<void> {
    const doc = this.#sealer.encode(row);
    const held = fence === undefined ? sql`` : sql`WHERE ${isHeld(fence)}`;
    const statement = sql`INSERT INTO ${this.#table} (doc) SELECT ${doc} ${held}`;
    const inserted = await this.#write(this.#db.change(statement), row);
    if (inserted === 0) throw lockLost(fence);
  }

  async update(uuid: string, changes: Partial<Row>, fence?: Fence, durability?: Durability): Promise<Row> {
    const assignments = Object.entries(changes).map(
      ([field, value]) => sql`${`$.${field}`}, json(${this.#sealer.encode(value)})`,
    );
    const doc = assignments.length === 0 ? sql`doc` : sql`json_set(doc, ${sql.join(assignments)})`;
    const held = fence === undefined ? sql`` : sql`AND ${isHeld(fence)}`;
    const statement = sql<DocumentOnly>`UPDATE ${this.#table} SET doc = ${doc} WHERE uuid = ${uuid} ${held} RETURNING ${this.#columns}`;
    const [row] = await this.#write(this.#db.rows(statement, durability), changes);
    if (row !== undefined) return this.#decode(row);
    if (fence !== undefined && (await this.find(uuid)) !== undefined) throw lockLost(fence);
    throw notFound(this.#options.label, uuid);
  }

  async delete(uuid: string, fence?: Fence): Promise<void> {
    const held = fence === undefined ? sql`` : sql`AND ${isHeld(fence)}`;
    const deleted = await this.#db.change(sql`DELETE FROM ${this.#table} WHERE uuid = ${uuid} ${held}`);
    if (deleted === 0 && fence !== undefined && (await this.find(uuid)) !== undefined) throw lockLost(fence);
  }

  async #write<Result>(query: Promise<Result>, row: Partial<Row>): Promise<Result> {
    try {
      return await query;
    } catch (error) {
      throw translateConstraint(error, row);
    }
  }

  #decode(row: DocumentOnly): Row {
    const record = this.#sealer.decode(row.doc) as Row;
    return row.overlay === undefined || row.overlay === null
      ? record
      : Object.assign(record, JSON.parse(row.overlay) as Partial<Row>);
  }
}

const fieldPath = /^[A-Za-z]+(?:\.[A-Za-z]+)?$/;

function sortExpression(sortKey: string | undefined): RawBuilder<unknown> | undefined {
  if (sortKey === undefined) return undefined;
  if (!fieldPath.test(sortKey)) throw invalidParameter(`Records cannot be sorted by ${JSON.stringify(sortKey)}.`);
  return sql`coalesce(doc ->> ${`$.${sortKey}`}, '')`;
}

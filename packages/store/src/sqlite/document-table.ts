import { invalidParameter, IronbarkError, notFound } from '@ironbark/core';
import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely';
import type { Sealer } from '../sealing.ts';
import type { Fence, ListQuery, Table } from '../store.ts';
import { translateConstraint } from './constraints.ts';
import type { DocumentTableName, Schema } from './schema.ts';

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
  readonly #db: Kysely<Schema>;
  readonly #sealer: Sealer;
  readonly #options: DocumentTableOptions<Filter>;
  readonly #table: RawBuilder<unknown>;
  readonly #columns: RawBuilder<unknown>;

  constructor(db: Kysely<Schema>, sealer: Sealer, options: DocumentTableOptions<Filter>) {
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
    const { rows } = await statement.execute(this.#db);
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
    const marker = (await statement.execute(this.#db)).rows[0];
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
    const { rows } = await sql<DocumentOnly>`SELECT ${this.#columns} FROM ${this.#table} WHERE ${condition}`.execute(
      this.#db,
    );
    return rows[0] === undefined ? undefined : this.#decode(rows[0]);
  }

  async insert(row: Row, fence?: Fence): Promise<void> {
    const doc = this.#sealer.encode(row);
    const held = fence === undefined ? sql`` : sql`WHERE ${isHeld(fence)}`;
    const result = await this.#write(sql`INSERT INTO ${this.#table} (doc) SELECT ${doc} ${held}`, row);
    if (result.numAffectedRows === 0n) throw lockLost(fence);
  }

  async update(uuid: string, changes: Partial<Row>, fence?: Fence): Promise<Row> {
    const assignments = Object.entries(changes).map(
      ([field, value]) => sql`${`$.${field}`}, json(${this.#sealer.encode(value)})`,
    );
    const doc = assignments.length === 0 ? sql`doc` : sql`json_set(doc, ${sql.join(assignments)})`;
    const held = fence === undefined ? sql`` : sql`AND ${isHeld(fence)}`;
    const statement = sql<DocumentOnly>`UPDATE ${this.#table} SET doc = ${doc} WHERE uuid = ${uuid} ${held} RETURNING ${this.#columns}`;
    const { rows } = await this.#write(statement, changes);
    if (rows[0] !== undefined) return this.#decode(rows[0]);
    if (fence !== undefined && (await this.find(uuid)) !== undefined) throw lockLost(fence);
    throw notFound(this.#options.label, uuid);
  }

  async delete(uuid: string, fence?: Fence): Promise<void> {
    const held = fence === undefined ? sql`` : sql`AND ${isHeld(fence)}`;
    const result = await sql`DELETE FROM ${this.#table} WHERE uuid = ${uuid} ${held}`.execute(this.#db);
    if (result.numAffectedRows === 0n && fence !== undefined && (await this.find(uuid)) !== undefined)
      throw lockLost(fence);
  }

  async #write<Result>(statement: RawBuilder<Result>, row: Partial<Row>) {
    try {
      return await statement.execute(this.#db);
    } catch (error) {
      throw translateConstraint(error, row);
    }
  }

  #decode(row: DocumentOnly): Row {
    const record = this.#sealer.decode(row.doc) as Row;
    return row.overlay === undefined || row.overlay === null
      ? record
      : { ...record, ...(JSON.parse(row.overlay) as Partial<Row>) };
  }
}

/** SQL for "this lock still belongs to whoever holds this number". */
export function isHeld(fence: Fence): RawBuilder<SqlBool> {
  return sql`EXISTS (SELECT 1 FROM locks WHERE node_uuid = ${fence.nodeUuid} AND fence = ${fence.fence} AND owner IS NOT NULL)`;
}

export function lockLost(fence: Fence | undefined): IronbarkError {
  return new IronbarkError(
    'LOCK_LOST',
    `The lock of node ${fence?.nodeUuid ?? ''} is no longer held; another conductor has taken the node over.`,
  );
}

const fieldPath = /^[A-Za-z]+(?:\.[A-Za-z]+)?$/;

function sortExpression(sortKey: string | undefined): RawBuilder<unknown> | undefined {
  if (sortKey === undefined) return undefined;
  if (!fieldPath.test(sortKey)) throw invalidParameter(`Records cannot be sorted by ${JSON.stringify(sortKey)}.`);
  return sql`coalesce(doc ->> ${`$.${sortKey}`}, '')`;
}

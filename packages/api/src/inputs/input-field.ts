import { invalidParameter, wrapSecrets, type Info, type InfoValue } from '@ironbark/core';
import { check } from '../schemas/check.ts';
import { parseBoolean } from '../schemas/coerce-query.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';

/** How a field of the API that clients may set gets into a record. Names on the wire are keys of the table that holds it. */
export interface InputField<Row, Changes> {
  readonly schema: JsonSchema;
  /** The present value, as the wire has it: what a patch starts from. */
  readonly read: (row: Row) => InfoValue;
  /** The change that a value asks for. The value fits the schema. */
  readonly write: (value: InfoValue, name: string) => Changes;
}

export type InputFields<Row, Changes> = Readonly<Record<string, InputField<Row, Changes>>>;

/** Schema of a create request with these fields and nothing else. */
export function createSchema<Row, Changes>(
  fields: InputFields<Row, Changes>,
  required: readonly string[],
  extra: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const own = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
  return { type: 'object', properties: { ...own, ...extra }, required, additionalProperties: false };
}

/**
 * Collects the changes that values on the wire ask for.
 * @throws INVALID_PARAMETER naming the field that has a wrong value.
 */
export function readChanges<Row, Changes extends object>(
  fields: InputFields<Row, Changes>,
  values: Readonly<Record<string, InfoValue>>,
): Partial<Changes> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const field = fields[name];
    if (field === undefined) continue;
    const problem = check(field.schema, value, `Field "${name}"`);
    if (problem !== undefined) throw invalidParameter(problem);
    merge(result, field.write(value, name));
  }
  return result as Partial<Changes>;
}

/** Several fields of the wire may be parts of one object of the record. */
function merge(result: Record<string, unknown>, changes: object): void {
  for (const [key, value] of Object.entries(changes)) {
    result[key] = key === 'interfaces' ? { ...(result[key] as object | undefined), ...value } : value;
  }
}

/** A free-form object with its credentials made secrets; null empties it. */
export function toInfo(value: InfoValue): Info {
  return value === null ? {} : (wrapSecrets(value) as Info);
}

/** @param whenNull what null stands for. */
export function toBoolean<Null extends boolean | null>(value: InfoValue, name: string, whenNull: Null): boolean | Null {
  if (typeof value === 'boolean') return value;
  if (value === null) return whenNull;
  const parsed = typeof value === 'string' ? parseBoolean(value) : undefined;
  if (parsed === undefined) throw invalidParameter(`Field "${name}" must be true or false.`);
  return parsed;
}

import type { InfoValue } from '@ironbark/core';
import { badRequest } from '../errors.ts';
import { applyPatch, type Patch } from '../json-patch.ts';
import { readChanges, type InputFields } from './input-field.ts';

type Values = Readonly<Record<string, InfoValue>>;

interface Updates<Row, Changes> {
  update(ident: string, edit: (current: Row) => Changes): Promise<Row>;
}

/** Names of the fields that a create request gives a value. */
export function givenFields(body: Values): readonly string[] {
  return Object.keys(body).filter((name) => body[name] !== null && body[name] !== '');
}

/** What a create request asks for: the record's fields, and its uuid when the client chose one. */
export function readInput<Row, Changes extends object>(fields: InputFields<Row, Changes>, body: Values): object {
  const { uuid } = body;
  return { ...readChanges(fields, body), ...(typeof uuid === 'string' ? { uuid: uuid.toLowerCase() } : {}) };
}

/**
 * Changes a record as a patch says, from its state at that moment.
 * @param review looks at the new values before they are taken, and may replace them.
 * @throws NOT_FOUND when the record is missing; 400 when it is something that the patch names.
 */
export async function patchRecord<Row, Changes extends object>(
  service: Updates<Row, Partial<Changes>>,
  ident: string,
  patch: Patch,
  fields: InputFields<Row, Changes>,
  review: (current: Row, values: Values) => Values = (_current, values) => values,
): Promise<Row> {
  let isFound = false;
  try {
    return await service.update(ident, (current) => {
      isFound = true;
      const values = applyPatch(patch, (name) => fields[name]?.read(current) ?? null);
      return readChanges(fields, review(current, values));
    });
  } catch (error) {
    throw isFound ? badRequest(error) : error;
  }
}

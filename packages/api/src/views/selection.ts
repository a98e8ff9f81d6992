import { invalidParameter } from '@ironbark/core';
import { introduced } from '../microversion-table.ts';
import { notAcceptable, rejectNewer } from '../microversion.ts';

/** A record as it goes over the wire. A field that is undefined is left out. */
export type Wire = Record<string, unknown>;

export interface Selectable {
  /** All fields of the resource. */
  readonly fields: ReadonlySet<string>;
  /** What a list shows when the client does not choose. */
  readonly summary: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
  /** Version since which `?detail=` is known. Default: 1.43. */
  readonly detailSince?: number;
}

interface SelectionQuery {
  readonly fields?: readonly string[];
  readonly detail?: boolean;
}

/**
 * Decides which fields the answer to a list request shows.
 * @returns undefined for all of them.
 * @throws NOT_ACCEPTABLE or INVALID_PARAMETER for fields that there are not, or not yet.
 */
export function selectForList(
  resource: Selectable,
  query: SelectionQuery,
  minor: number,
): readonly string[] | undefined {
  const { detailSince = introduced.detailQuery } = resource;
  if (query.detail !== undefined && minor < detailSince)
    throw invalidParameter(`Invalid query parameter ?detail=${query.detail ? 'True' : 'False'} received.`, {
      hint: `It needs API version 1.${detailSince} or newer.`,
    });
  if (query.fields !== undefined && query.detail === true)
    throw invalidParameter('Can not specify ?detail=True and fields in the same request.');
  return selectFields(resource, query.fields, minor) ?? (query.detail === true ? undefined : resource.summary);
}

/** Checks the fields that a client chose; undefined when it chose none. */
export function selectFields(
  resource: Selectable,
  fields: readonly string[] | undefined,
  minor: number,
): readonly string[] | undefined {
  if (fields === undefined) return undefined;
  if (minor < introduced.fieldsQuery) throw notAcceptable('The query parameter "fields"', introduced.fieldsQuery);
  const unknown = fields.filter((field) => !resource.fields.has(field));
  if (unknown.length > 0)
    throw invalidParameter(`Field(s) ${JSON.stringify(unknown.join(', '))} are not valid`, {
      hint: `Fields: ${[...resource.fields].join(', ')}.`,
    });
  rejectNewer(fields, resource.versions, minor, 'field');
  return fields;
}

/** The chosen fields of a record; links come with every choice. */
export function pick(wire: Wire, fields: readonly string[]): Wire {
  const picked: Wire = {};
  for (const field of fields) picked[field] = wire[field];
  picked['links'] = wire['links'];
  return picked;
}

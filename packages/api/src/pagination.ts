import { invalidParameter } from '@ironbark/core';
import type { ListQuery } from '@ironbark/store';
import { pageSize } from './views/constants.ts';

export interface PageQuery {
  readonly limit?: number;
  readonly marker?: string;
  readonly sort_key?: string;
  readonly sort_dir?: string;
}

/**
 * What a list request says about order and size.
 * @param sortKeys fields to sort by, with the name that the record has for them.
 * @throws INVALID_PARAMETER for an order that there is not.
 */
export function readPage(
  query: PageQuery,
  sortKeys: Readonly<Record<string, string>>,
): Omit<ListQuery<never>, 'filter'> & { readonly limit: number } {
  const { marker, sort_key: key } = query;
  const sortKey = key === undefined || key === 'id' ? undefined : Object.hasOwn(sortKeys, key) ? sortKeys[key] : null;
  if (sortKey === null)
    throw invalidParameter(`The sort_key value ${JSON.stringify(key)} is an invalid field for sorting`, {
      hint: `Sortable fields: ${Object.keys(sortKeys).join(', ')}.`,
    });
  return {
    limit: readLimit(query.limit),
    ...(marker === undefined ? {} : { marker }),
    ...(sortKey === undefined ? {} : { sortKey }),
    ...(query.sort_dir === 'desc' ? { sortDirection: 'desc' as const } : {}),
  };
}

export function readLimit(limit: number | undefined): number {
  if (limit === undefined) return pageSize;
  if (limit <= 0) throw invalidParameter('Limit must be positive');
  return Math.min(limit, pageSize);
}

/**
 * Address of the next page: that of this one, continued behind its last record.
 * @param url path and query of the request.
 * @returns undefined when the page is not full, and so the last one.
 */
export function nextPage(
  base: string,
  url: string,
  shown: number,
  limit: number,
  marker: string | undefined,
): string | undefined {
  if (shown < limit || marker === undefined) return undefined;
  const start = url.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
  query.set('limit', String(limit));
  query.set('marker', marker);
  const path = (start < 0 ? url : url.slice(0, start)).replace(/\/$/, '');
  // Clients split `fields` at plain commas.
  return `${base}${path}?${query.toString().replaceAll('%2C', ',')}`;
}

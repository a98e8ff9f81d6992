import { notFound } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import type { ListQuery } from '@ironbark/store';
import type { Identity } from './auth/authenticator.ts';
import { reachableNodes, reachesAllNodes, reachesNode } from './ownership.ts';

interface ChildRecord {
  readonly uuid: string;
  readonly nodeUuid: string;
}

interface ChildFilter {
  readonly nodeUuid?: string;
}

/** Lists records that belong to nodes: only those whose node the identity reaches. */
export async function listChildren<Row extends ChildRecord, Filter extends ChildFilter>(
  engine: Engine,
  identity: Identity,
  service: { list(query: ListQuery<Filter>): Promise<readonly Row[]> },
  query: ListQuery<Filter> & { readonly limit: number },
): Promise<readonly Row[]> {
  const nodes = query.filter.nodeUuid === undefined ? await reachableNodes(engine, identity) : undefined;
  if (nodes === undefined) return service.list(query);
  const { limit, ...unlimited } = query;
  const rows = await service.list(unlimited);
  return rows.filter((row) => nodes.has(row.nodeUuid)).slice(0, limit);
}

/** @throws NOT_FOUND for a record of somebody else's node too. */
export async function readChild<Row extends ChildRecord>(
  engine: Engine,
  identity: Identity,
  service: { get(uuid: string): Promise<Row> },
  uuid: string,
  what: string,
): Promise<Row> {
  const row = await service.get(uuid);
  if (reachesAllNodes(identity)) return row;
  if (reachesNode(identity, await engine.nodes.get(row.nodeUuid))) return row;
  throw notFound(what, uuid);
}

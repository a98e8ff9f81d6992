import { notFound } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import type { ListQuery } from '@ironbark/store';
import type { Identity } from './auth/authenticator.ts';
import type { Patch } from './json-patch.ts';
import { reachableNodes, reachesAllNodes, reachesNode, type requireNode } from './ownership.ts';
import { forbidden } from './policy.ts';

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

/**
 * Looks whether the identity may change a record that belongs to a node.
 * @param requireAccess what it has to be to the node: its owner, or its lessee at least.
 * @throws NOT_FOUND for a record of somebody else's node too.
 */
export async function requireChild(
  engine: Engine,
  identity: Identity,
  service: { get(uuid: string): Promise<ChildRecord> },
  uuid: string,
  what: string,
  requireAccess: typeof requireNode,
): Promise<void> {
  if (reachesAllNodes(identity)) return;
  const { nodeUuid } = await readChild(engine, identity, service, uuid, what);
  await requireAccess(engine, identity, nodeUuid);
}

/** @throws FORBIDDEN when a patch moves the record to another node, and the identity's roles hold for a project. */
export function refuseMove(identity: Identity, patch: Patch): void {
  if (reachesAllNodes(identity) || !patch.fields.includes('node_uuid')) return;
  throw forbidden('node_uuid', 'It needs a role for the whole system; create another record for the other node.');
}

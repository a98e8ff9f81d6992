import { IronbarkError, notFound, type Node } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import type { Identity } from './auth/authenticator.ts';

/** Whether the identity's roles hold for all nodes. */
export function reachesAllNodes(identity: Identity): boolean {
  return identity.system;
}

export function reachesNode(identity: Identity, node: Node): boolean {
  if (reachesAllNodes(identity)) return true;
  const { project } = identity;
  return project !== null && (node.owner === project || node.lessee === project);
}

/**
 * Reads a node that the identity may know of.
 * @throws NOT_FOUND for a node of somebody else too: its existence is nobody's business.
 */
export async function readNode(engine: Engine, identity: Identity, ident: string): Promise<Node> {
  const node = await engine.nodes.get(ident);
  if (reachesNode(identity, node)) return node;
  throw notFound('Node', ident);
}

/** As {@link readNode}, without reading the node for those who reach all of them. */
export async function requireNode(engine: Engine, identity: Identity, ident: string): Promise<void> {
  if (!reachesAllNodes(identity)) await readNode(engine, identity, ident);
}

/**
 * As {@link requireNode}, for what the owner of a machine may and its lessee may not: change what describes the machine, and see
 * what happens to it, since failures name addresses of the owner's network.
 * @throws FORBIDDEN for a lessee.
 */
export async function requireOwnNode(engine: Engine, identity: Identity, ident: string): Promise<void> {
  if (reachesAllNodes(identity)) return;
  const { owner } = await readNode(engine, identity, ident);
  if (owner === identity.project) return;
  throw new IronbarkError('FORBIDDEN', 'Only the project that owns the node may do this.');
}

/** Uuids of the nodes that the identity reaches; undefined when it reaches all. */
export async function reachableNodes(engine: Engine, identity: Identity): Promise<ReadonlySet<string> | undefined> {
  if (reachesAllNodes(identity)) return undefined;
  if (identity.project === null) return new Set();
  const nodes = await engine.nodes.list({ filter: { project: identity.project } });
  return new Set(nodes.map((node) => node.uuid));
}

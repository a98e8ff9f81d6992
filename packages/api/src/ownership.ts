import { IronbarkError, notFound, type Node } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import { hasRole } from './policy.ts';
import type { Identity } from './auth/authenticator.ts';

/** Whether the identity's roles hold for all nodes. */
export function reachesAllNodes(identity: Identity): boolean {
  return identity.system || hasRole(identity, 'admin');
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
 * As {@link requireNode}, for what the owner of a machine is shown and its lessee is not: failures name addresses of the owner's network.
 * @throws FORBIDDEN for a lessee.
 */
export async function requireOwnNode(engine: Engine, identity: Identity, ident: string): Promise<void> {
  if (reachesAllNodes(identity)) return;
  const { owner } = await readNode(engine, identity, ident);
  if (owner === identity.project) return;
  throw new IronbarkError('FORBIDDEN', 'Only the owner of the node is shown what happens to it.');
}

/** @throws FORBIDDEN for identities whose roles hold for a project: connections of volumes are not theirs to see. */
export function requireAllNodes(identity: Identity): void {
  if (reachesAllNodes(identity)) return;
  throw new IronbarkError('FORBIDDEN', 'The plan shows how volumes are reached, which is not shown to projects.', {
    hint: 'Ask an operator.',
  });
}

/** Uuids of the nodes that the identity reaches; undefined when it reaches all. */
export async function reachableNodes(engine: Engine, identity: Identity): Promise<ReadonlySet<string> | undefined> {
  if (reachesAllNodes(identity)) return undefined;
  if (identity.project === null) return new Set();
  const nodes = await engine.nodes.list({ filter: { project: identity.project } });
  return new Set(nodes.map((node) => node.uuid));
}

import { invalidParameter, type Node } from '@ironbark/core';
import type { EngineContext } from '../context.ts';

/** The node that a new record names. @throws INVALID_PARAMETER: a wrong node in a body is the body's fault, not a missing page. */
export async function owningNode(context: EngineContext, nodeUuid: string): Promise<Node> {
  const node = await context.store.nodes.find(nodeUuid);
  if (node === undefined)
    throw invalidParameter(`Node ${nodeUuid} could not be found.`, {
      hint: 'Give the UUID of an enrolled node as node_uuid.',
    });
  return node;
}

import { randomUUID } from 'node:crypto';
import { explain, timestamp, type Node, type ProvisionState } from '@ironbark/core';
import type { Fence, HistoryEntry } from '@ironbark/store';
import type { EngineContext } from './context.ts';
import { withinBound } from './hook-call.ts';

export interface ProvisionStateChange {
  readonly provisionState: ProvisionState;
  readonly targetProvisionState?: ProvisionState | null;
  readonly lastError?: string | null;
}

/** Moves a node to another provision state and tells everybody. */
export async function setProvisionState(
  context: EngineContext,
  node: Node,
  change: ProvisionStateChange,
  fence: Fence,
): Promise<void> {
  const updated = await context.store.nodes.update(node.uuid, provisionStateFields(change), fence);
  await announceProvisionState(context, updated, node.provisionState);
}

/** The fields of a node that a change of state writes. */
export function provisionStateFields(change: ProvisionStateChange): Partial<Node> {
  const now = timestamp();
  return { ...change, provisionUpdatedAt: now, updatedAt: now };
}

/** Tells everybody that a node has left its previous state. */
export async function announceProvisionState(
  context: EngineContext,
  node: Node,
  previous: ProvisionState,
): Promise<void> {
  if (previous === node.provisionState) return;
  context.events.emit('provision_state.changed', node.uuid, {
    provision_state: node.provisionState,
    target_provision_state: node.targetProvisionState,
    previous_provision_state: previous,
  });
  try {
    await withinBound(context.hooks.provisionStateChanged.promise(node, previous));
  } catch (error) {
    context.log.warn({ node: node.uuid, error: explain(error) }, 'a tap of provisionStateChanged failed');
  }
}

/** An entry of a node's history for something that failed. */
export function failureEntry(context: EngineContext, nodeUuid: string, eventType: string, event: string): HistoryEntry {
  return {
    uuid: randomUUID(),
    nodeUuid,
    conductor: context.hostname,
    event,
    eventType,
    severity: 'ERROR',
    user: null,
    createdAt: timestamp(),
  };
}

import { explain, timestamp, type Node, type ProvisionState } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import { randomUUID } from 'node:crypto';
import type { EngineContext } from './context.ts';

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
  const previous = (await context.store.nodes.find(node.uuid))?.provisionState ?? node.provisionState;
  const now = timestamp();
  const updated = await context.store.nodes.update(
    node.uuid,
    { ...change, provisionUpdatedAt: now, updatedAt: now },
    fence,
  );
  if (previous === change.provisionState) return;
  context.events.emit('provision_state.changed', node.uuid, {
    provision_state: updated.provisionState,
    target_provision_state: updated.targetProvisionState,
    previous_provision_state: previous,
  });
  try {
    await context.hooks.provisionStateChanged.promise(updated, previous);
  } catch (error) {
    context.log.warn({ node: node.uuid, error: explain(error) }, 'a tap of provisionStateChanged failed');
  }
}

/** Keeps a failure in the node's history. */
export async function recordFailure(
  context: EngineContext,
  nodeUuid: string,
  eventType: string,
  event: string,
): Promise<void> {
  await context.store.history.append({
    uuid: randomUUID(),
    nodeUuid,
    conductor: context.hostname,
    event,
    eventType,
    severity: 'ERROR',
    user: null,
    createdAt: timestamp(),
  });
}

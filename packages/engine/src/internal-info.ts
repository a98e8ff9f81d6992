import type { Info, Node } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from './context.ts';

/** What an agent left in a node's record; it is of no use once the machine's memory is gone. */
const agentKeys = [
  'agent_url',
  'agent_secret_token',
  'agent_version',
  'agent_verify_ca',
  'agent_last_heartbeat',
  'agent_status',
  'agent_status_message',
];

export function withoutAgent(driverInternalInfo: Info): Info {
  return Object.fromEntries(Object.entries(driverInternalInfo).filter(([key]) => !agentKeys.includes(key)));
}

export function holdsAgent(driverInternalInfo: Info): boolean {
  return agentKeys.some((key) => key in driverInternalInfo);
}

/**
 * Changes a node's `driver_internal_info`. Agents write into it while operations do, so it is read and written in one transaction.
 * @returns the node as it is then; undefined when it does not exist.
 */
export async function editInternalInfo(
  context: EngineContext,
  nodeUuid: string,
  edit: (current: Info) => Info,
  fence?: Fence,
): Promise<Node | undefined> {
  return context.store.transaction(async ({ nodes }) => {
    const node = await nodes.find(nodeUuid);
    if (node === undefined) return undefined;
    const driverInternalInfo = edit(node.driverInternalInfo);
    return driverInternalInfo === node.driverInternalInfo
      ? node
      : nodes.update(nodeUuid, { driverInternalInfo }, fence);
  });
}

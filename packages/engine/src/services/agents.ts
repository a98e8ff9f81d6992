import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  invalidParameter,
  isSecret,
  IronbarkError,
  missingParameter,
  notFound,
  Secret,
  timestamp,
  type Node,
  type ProvisionState,
} from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import { editInternalInfo } from '../internal-info.ts';
import type { AgentService, Heartbeat } from '../engine.ts';

/** States in which a machine may run an agent; in all others its record is none of an agent's business. */
const agentStates: readonly ProvisionState[] = [
  'deploying',
  'wait call-back',
  'cleaning',
  'clean wait',
  'inspecting',
  'inspect wait',
  'rescuing',
  'rescue wait',
  'servicing',
  'service wait',
];

const tokenKey = 'agent_secret_token';

export function createAgentService(context: EngineContext): AgentService {
  return {
    async lookup({ nodeUuid, addresses = [] }) {
      if (nodeUuid === undefined && addresses.length === 0)
        throw invalidParameter('A lookup needs addresses or node_uuid.', { hint: 'Give at least one of them.' });
      const node = await findAgentNode(context, nodeUuid, addresses);
      if (node === undefined || !agentStates.includes(node.provisionState)) throw notFound('Node', 'of this agent');
      const offered = Secret.of(randomBytes(24).toString('base64url'));
      const updated = await editInternalInfo(context, node.uuid, (current) => {
        return isSecret(current[tokenKey]) ? current : { ...current, [tokenKey]: offered };
      });
      const held = updated?.driverInternalInfo[tokenKey];
      const agentToken = isSecret(held) ? held : offered;
      const agentTokenIsNew = isEqual(agentToken.reveal(), offered.reveal());
      return { node, heartbeatTimeoutSeconds: context.heartbeatTimeoutSeconds, agentToken, agentTokenIsNew };
    },
    async heartbeat(nodeUuid, heartbeat) {
      const node = await context.store.nodes.find(nodeUuid);
      if (node === undefined) throw notFound('Node', nodeUuid);
      checkToken(node, heartbeat);
      checkCallback(node, heartbeat);
      await editInternalInfo(context, node.uuid, (current) => ({
        ...current,
        agent_url: heartbeat.callbackUrl,
        agent_last_heartbeat: timestamp(),
        ...(heartbeat.agentVersion === undefined ? {} : { agent_version: heartbeat.agentVersion }),
        ...(heartbeat.agentVerifyCa === undefined ? {} : { agent_verify_ca: heartbeat.agentVerifyCa }),
        ...(heartbeat.agentStatus === undefined ? {} : { agent_status: heartbeat.agentStatus }),
        ...(heartbeat.agentStatusMessage === undefined ? {} : { agent_status_message: heartbeat.agentStatusMessage }),
      }));
    },
  };
}

async function findAgentNode(
  context: EngineContext,
  nodeUuid: string | undefined,
  addresses: readonly string[],
): Promise<Node | undefined> {
  if (nodeUuid !== undefined) return context.store.nodes.find(nodeUuid);
  const owners = new Set<string>();
  for (const address of addresses) {
    const [port] = await context.store.ports.list({ filter: { address: address.toLowerCase() } });
    if (port !== undefined) owners.add(port.nodeUuid);
  }
  const [owner] = owners;
  return owner === undefined || owners.size > 1 ? undefined : context.store.nodes.find(owner);
}

function checkToken(node: Node, { agentToken }: Heartbeat): void {
  const known = node.driverInternalInfo[tokenKey];
  if (agentToken === undefined || agentToken === '')
    throw missingParameter('Agent token is required for heartbeat processing.', { hint: 'Do a lookup first.' });
  if (isSecret(known) && isEqual(known.reveal(), agentToken)) return;
  throw new IronbarkError('INVALID_PARAMETER', 'Invalid agent token received.', {
    hint: 'Restart the agent, so that it gets a token.',
  });
}

export function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** An agent that is known stays where it is: a changed address is somebody else. */
function checkCallback(node: Node, { callbackUrl }: Heartbeat): void {
  const known = node.driverInternalInfo['agent_url'];
  if (typeof known !== 'string' || known === callbackUrl) return;
  throw invalidParameter(`Detected change in ramdisk provided "callback_url" for node ${node.uuid}.`);
}

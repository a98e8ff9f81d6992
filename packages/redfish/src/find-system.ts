import { invalidParameter, IronbarkError, missingParameter } from '@ironbark/core';
import { ComputerSystem, listMembers } from './computer-system.ts';
import { linkAt, textAt } from './json.ts';
import type { RedfishClient } from './redfish-client.ts';

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const maxListed = 10;

/**
 * Finds a system of a BMC.
 * @param systemId path of the resource (`/redfish/v1/Systems/1`; taken as it is), last part of such a path, or UUID. Null: the only
 * system there is.
 * @throws MISSING_PARAMETER when there are several to choose from, INVALID_PARAMETER when there is none of that id; both list what
 * there is.
 */
export async function findSystem(
  client: RedfishClient,
  systemId: string | null,
  signal: AbortSignal,
): Promise<ComputerSystem> {
  if (systemId?.startsWith('/') === true) return new ComputerSystem(client, systemId);
  const members = await listSystems(client, signal);
  const path = systemId === null ? onlyMember(client, members) : await memberOf(client, members, systemId, signal);
  return new ComputerSystem(client, path);
}

async function listSystems(client: RedfishClient, signal: AbortSignal): Promise<readonly string[]> {
  const collection = linkAt((await client.root(signal)).body, 'Systems');
  if (collection !== undefined) return listMembers(client, collection, signal);
  throw new IronbarkError('BMC_UNSUPPORTED', `BMC ${client.address} manages no computer systems.`, {
    hint: 'Check that the address is that of the BMC and not of another Redfish service, such as a switch or a power strip.',
  });
}

function onlyMember(client: RedfishClient, members: readonly string[]): string {
  const [only] = members;
  if (only !== undefined && members.length === 1) return only;
  throw missingParameter(`BMC ${client.address} has ${members.length} systems, and none was chosen.`, {
    hint: choices(client, members),
  });
}

async function memberOf(
  client: RedfishClient,
  members: readonly string[],
  systemId: string,
  signal: AbortSignal,
): Promise<string> {
  const byName = members.find(
    (path) => decodeURIComponent(path.split('/').findLast((part) => part !== '') ?? '') === systemId,
  );
  if (byName !== undefined) return byName;
  for (const path of uuidForm.test(systemId) ? members : []) {
    const { body } = await client.get(path, signal);
    if (textAt(body, 'UUID')?.toLowerCase() === systemId.toLowerCase()) return path;
  }
  throw invalidParameter(`BMC ${client.address} has no system ${JSON.stringify(systemId)}.`, {
    hint: choices(client, members),
  });
}

function choices(client: RedfishClient, members: readonly string[]): string {
  const more = members.length > maxListed ? ` and ${members.length - maxListed} more` : '';
  return `Set driver_info ${client.keyPrefix}system_id to one of: ${members.slice(0, maxListed).join(', ') || 'none'}${more}.`;
}

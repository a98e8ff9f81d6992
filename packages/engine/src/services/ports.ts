import { randomUUID } from 'node:crypto';
import { invalidParameter, IronbarkError, notFound, timestamp, type Port } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { Engine } from '../engine.ts';
import { withLock } from '../node-lock.ts';
import { owningNode } from './owning-node.ts';

export function createPortService(context: EngineContext): Engine['ports'] {
  const { ports } = context.store;
  const get = async (uuid: string): Promise<Port> => {
    const port = await ports.find(uuid);
    if (port === undefined) throw notFound('Port', uuid);
    return port;
  };
  return {
    list: (query) => ports.list(query),
    get,
    async create(input) {
      const node = await owningNode(context, input.nodeUuid);
      const port: Port = {
        pxeEnabled: true,
        extra: {},
        localLinkConnection: {},
        physicalNetwork: null,
        isSmartnic: false,
        ...input,
        uuid: input.uuid ?? randomUUID(),
        nodeUuid: node.uuid,
        address: normalMac(input.address),
        internalInfo: {},
        createdAt: timestamp(),
        updatedAt: null,
      };
      return withLock(context, node.uuid, async () => {
        await ports.insert(port);
        return port;
      });
    },
    async update(uuid, edit) {
      const { nodeUuid } = await get(uuid);
      return withLock(context, nodeUuid, async (fence) => {
        const changes = edit(await get(uuid));
        if (changes.nodeUuid !== undefined) await owningNode(context, changes.nodeUuid);
        const address = changes.address === undefined ? {} : { address: normalMac(changes.address) };
        return ports.update(uuid, { ...changes, ...address, updatedAt: timestamp() }, fence);
      });
    },
    async delete(uuid) {
      const port = await get(uuid);
      if ('tenant_vif_port_id' in port.internalInfo) {
        throw new IronbarkError(
          'INVALID_STATE',
          `Cannot delete the port ${uuid}: VIF ${JSON.stringify(port.internalInfo['tenant_vif_port_id'])} is attached to it.`,
          {
            hint: 'Detach the VIF first.',
          },
        );
      }
      await withLock(context, port.nodeUuid, (fence) => ports.delete(uuid, fence));
    },
  };
}

/** Brings a MAC address into the one form that is stored. @throws INVALID_PARAMETER. */
function normalMac(address: string): string {
  const text = address.toLowerCase().replaceAll('-', ':');
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(text)) return text;
  throw invalidParameter(`Expected a MAC address but received ${JSON.stringify(address)}.`, {
    hint: 'Write it like 52:54:00:12:34:56.',
  });
}

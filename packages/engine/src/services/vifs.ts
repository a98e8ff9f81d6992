import { invalidParameter, IronbarkError, notFound, timestamp, type Port } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { VifService } from '../engine.ts';
import { findNode, withLock } from '../node-lock.ts';

const vifKey = 'tenant_vif_port_id';

/** Virtual interfaces of an instance: each takes one port of the node, which remembers it. */
export function createVifService(context: EngineContext): VifService {
  const { ports } = context.store;
  const portsOf = (nodeUuid: string) => ports.list({ filter: { nodeUuid } });
  return {
    async list(ident) {
      const { uuid } = await findNode(context, ident);
      return (await portsOf(uuid)).flatMap(({ internalInfo }) => {
        const vif = internalInfo[vifKey];
        return typeof vif === 'string' ? [vif] : [];
      });
    },
    async attach(ident, vifId) {
      const { uuid } = await findNode(context, ident);
      await withLock(context, uuid, async (fence) => {
        const all = await portsOf(uuid);
        if (all.some((port) => port.internalInfo[vifKey] === vifId))
          throw new IronbarkError(
            'DUPLICATE',
            `Unable to attach VIF ${vifId}: it is already attached to node ${uuid}.`,
          );
        const free = firstFree(all);
        if (free === undefined)
          throw invalidParameter(`Unable to attach VIF ${vifId}: node ${uuid} has no free port.`, {
            hint: 'Create a port for it, or detach another VIF.',
          });
        await ports.update(
          free.uuid,
          { internalInfo: { ...free.internalInfo, [vifKey]: vifId }, updatedAt: timestamp() },
          fence,
        );
      });
    },
    async detach(ident, vifId) {
      const { uuid } = await findNode(context, ident);
      await withLock(context, uuid, async (fence) => {
        const port = (await portsOf(uuid)).find(({ internalInfo }) => internalInfo[vifKey] === vifId);
        if (port === undefined) throw notFound('VIF', vifId);
        const { [vifKey]: _detached, ...internalInfo } = port.internalInfo;
        await ports.update(port.uuid, { internalInfo, updatedAt: timestamp() }, fence);
      });
    },
  };
}

/** Ports that the machine boots from come first: the instance needs its network there. */
function firstFree(ports: readonly Port[]): Port | undefined {
  const free = ports.filter(({ internalInfo }) => !(vifKey in internalInfo));
  return free.find(({ pxeEnabled }) => pxeEnabled) ?? free[0];
}

import { randomUUID } from 'node:crypto';
import { invalidParameter, notFound, timestamp, type Chassis } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { Engine } from '../engine.ts';

export function createChassisService(context: EngineContext): Engine['chassis'] {
  const { chassis, nodes } = context.store;
  const get = async (uuid: string): Promise<Chassis> => {
    const found = await chassis.find(uuid);
    if (found === undefined) throw notFound('Chassis', uuid);
    return found;
  };
  return {
    list: (query) => chassis.list(query),
    get,
    async create(input) {
      const created = {
        description: null,
        extra: {},
        ...input,
        uuid: input.uuid ?? randomUUID(),
        createdAt: timestamp(),
        updatedAt: null,
      };
      await chassis.insert(created);
      return created;
    },
    async update(uuid, edit) {
      return chassis.update(uuid, { ...edit(await get(uuid)), updatedAt: timestamp() });
    },
    async delete(uuid) {
      await get(uuid);
      const [occupant] = await nodes.list({ filter: { chassisUuid: uuid }, limit: 1 });
      if (occupant !== undefined) {
        throw invalidParameter(`Chassis ${uuid} cannot be deleted: it holds node ${occupant.uuid}.`, {
          hint: 'Move or delete its nodes first.',
        });
      }
      await chassis.delete(uuid);
    },
  };
}

import { bootDevices, invalidParameter, IronbarkError, type BootDevice, type Task } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import type { ManagementService } from '../engine.ts';
import { findNode, withLock } from '../node-lock.ts';
import { createTask } from '../task.ts';

export function createManagementService(context: EngineContext): ManagementService {
  const looking = async (ident: string): Promise<Task> =>
    createTask(context, await findNode(context, ident), { scope: 'management' });
  const changing = async (ident: string, work: (task: Task, fence: Fence) => Promise<void>): Promise<void> => {
    const { uuid } = await findNode(context, ident);
    await withLock(context, uuid, async (fence) => {
      const task = await createTask(context, await findNode(context, uuid), { scope: 'management', fence });
      await task.driver.management.validate(task);
      await work(task, fence);
    });
  };
  return {
    async supportedBootDevices(ident) {
      const task = await looking(ident);
      return task.driver.management.supportedBootDevices(task);
    },
    async getBootDevice(ident) {
      const task = await looking(ident);
      return task.driver.management.getBootDevice(task);
    },
    async setBootDevice(ident, device, persistent) {
      const known = bootDevices.find((one): one is BootDevice => one === device);
      if (known === undefined)
        throw invalidParameter(`Invalid boot device ${JSON.stringify(device)}.`, {
          hint: `Boot devices: ${bootDevices.join(', ')}.`,
        });
      await changing(ident, (task) => task.driver.management.setBootDevice(task, known, persistent));
    },
    async setBootMode(ident, mode) {
      await changing(ident, async (task, fence) => {
        const { management, names } = task.driver;
        if (management.setBootMode === undefined) {
          throw new IronbarkError(
            'UNSUPPORTED',
            `The management interface ${names.management} cannot change the boot mode.`,
          );
        }
        await management.setBootMode(task, mode);
        await context.store.nodes.update(task.node.uuid, { bootMode: mode }, fence);
      });
    },
    async setSecureBoot(ident, enabled) {
      await changing(ident, async (task, fence) => {
        const { management, names } = task.driver;
        if (management.setSecureBoot === undefined) {
          throw new IronbarkError(
            'UNSUPPORTED',
            `The management interface ${names.management} cannot turn Secure Boot on or off.`,
          );
        }
        await management.setSecureBoot(task, enabled);
        await context.store.nodes.update(task.node.uuid, { secureBoot: enabled }, fence);
      });
    },
  };
}

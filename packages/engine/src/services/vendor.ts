import { explain, invalidParameter, type Task, type VendorMethod } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { VendorService } from '../engine.ts';
import { acquireLock, findNode } from '../node-lock.ts';
import { createTask } from '../task.ts';

export function createVendorService(context: EngineContext): VendorService {
  return {
    async methods(ident) {
      const task = await createTask(context, await findNode(context, ident), { scope: 'vendor' });
      const described = Object.entries(task.driver.vendor.methods).map(
        ([name, { httpMethods, async = false, description }]) => [name, { httpMethods, async, description }],
      );
      return Object.fromEntries(described);
    },
    async call(ident, name, httpMethod, body) {
      const found = await findNode(context, ident);
      const lock = await acquireLock(context, found.uuid);
      const release = () => context.store.locks.release(lock);
      let handedOver = false;
      try {
        const task = await createTask(context, await findNode(context, found.uuid), { scope: 'vendor', fence: lock });
        const method = findMethod(task, name, httpMethod);
        await method.validate?.(task, body);
        if (method.async !== true) return { async: false, result: await method.run(task, body) };
        handedOver = true;
        void runInBackground(task, method, name, body).finally(release);
        return { async: true, result: null };
      } finally {
        if (!handedOver) await release();
      }
    },
  };
}

function findMethod(task: Task, name: string, httpMethod: string): VendorMethod {
  const { methods } = task.driver.vendor;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) {
    throw invalidParameter(
      `Vendor passthru method ${JSON.stringify(name)} is not supported by the vendor interface ${task.driver.names.vendor}.`,
      {
        hint: `Methods: ${Object.keys(methods).join(', ') || 'none'}.`,
      },
    );
  }
  if (method.httpMethods.some((one) => one === httpMethod)) return method;
  throw invalidParameter(`The method ${name} does not support HTTP ${httpMethod}.`, {
    hint: `It supports: ${method.httpMethods.join(', ')}.`,
  });
}

async function runInBackground(task: Task, method: VendorMethod, name: string, body: unknown): Promise<void> {
  try {
    await method.run(task, body);
  } catch (error) {
    task.log.error({ method: name, error: explain(error) }, 'vendor method failed');
  }
}

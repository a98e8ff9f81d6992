import { createNodeRecords, createTask, setUpPlugin, type SetUpPlugin } from '@ironbark/driver-testkit/fakes';
import type { Info, Task } from '@ironbark/core';
import plugin from '../../src/index.ts';

/** Settings under which nothing takes long. */
export const quickSettings = {
  connect_timeout: 1,
  request_timeout: 2,
  attempts: 3,
  retry_interval: 0.001,
  power_poll_interval: 0.002,
  setting_timeout: 0.1,
  setting_poll_interval: 0.002,
};

export async function setUpRedfish(): Promise<SetUpPlugin & AsyncDisposable> {
  const setUp = await setUpPlugin(plugin, { settings: quickSettings });
  return { ...setUp, [Symbol.asyncDispose]: () => setUp.shutDown() };
}

/** A task on a node with this driver_info. */
export function taskWith(driverInfo: Info, overrides: Partial<Task> = {}): Task {
  return createTask({ ...createNodeRecords({ node: { driverInfo } }), ...overrides });
}

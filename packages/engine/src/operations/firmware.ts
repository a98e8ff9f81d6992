import { firmwareRequestOf, IronbarkError, timestamp, type BootMode, type Task } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { editInternalInfo } from '../internal-info.ts';

/** Key of `driver_internal_info`: Secure Boot was turned on for an instance, so it is turned off for one that does not ask for it. */
const secureBootKey = 'secure_boot_turned_on';

/**
 * Sets boot mode and Secure Boot as the node's records ask for, where the machine has them otherwise, and keeps the node's record true. A
 * machine that cannot say what it has is left alone unless the records ask for something. The machine is off. Safe to repeat.
 * @throws UNSUPPORTED when the records ask for what the management interface cannot set.
 */
export async function syncFirmware(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const request = firmwareRequestOf(task.node);
  const bootMode = await syncBootMode(task, request.bootMode);
  const wasTurnedOn = task.node.driverInternalInfo[secureBootKey] === true;
  const secureBoot = await syncSecureBoot(task, request.secureBoot ?? (wasTurnedOn ? false : null));
  const { node } = task;
  if (bootMode !== node.bootMode || secureBoot.enabled !== node.secureBoot) {
    const changes = { bootMode, secureBoot: secureBoot.enabled, updatedAt: timestamp() };
    await context.store.nodes.update(node.uuid, changes, fence);
  }
  const isTurnedOn = request.secureBoot === true && (secureBoot.wasChanged || wasTurnedOn);
  if (isTurnedOn === wasTurnedOn) return;
  await editInternalInfo(
    context,
    node.uuid,
    ({ [secureBootKey]: _before, ...rest }) => (isTurnedOn ? { ...rest, [secureBootKey]: true } : rest),
    fence,
  );
}

/** @returns the mode that the machine has then; null when it cannot say. */
async function syncBootMode(task: Task, wanted: BootMode | null): Promise<BootMode | null> {
  const { management } = task.driver;
  const current = (await management.getBootMode?.(task)) ?? null;
  if (wanted === null || current === wanted) return current;
  if (management.setBootMode === undefined) throw cannot(task, `set boot mode ${wanted}`, 'boot_mode');
  await management.setBootMode(task, wanted);
  return wanted;
}

async function syncSecureBoot(
  task: Task,
  wanted: boolean | null,
): Promise<{ readonly enabled: boolean | null; readonly wasChanged: boolean }> {
  const { management } = task.driver;
  const current = (await management.getSecureBoot?.(task)) ?? null;
  // A machine without Secure Boot enforces none.
  if (wanted === null || (current ?? false) === wanted) {
    return { enabled: current, wasChanged: false };
  }
  if (management.setSecureBoot === undefined) throw cannot(task, 'turn Secure Boot on or off', 'secure_boot');
  await management.setSecureBoot(task, wanted);
  return { enabled: wanted, wasChanged: true };
}

function cannot({ node, driver }: Task, what: string, capability: string): IronbarkError {
  return new IronbarkError(
    'UNSUPPORTED',
    `The management interface ${driver.names.management} of node ${node.uuid} cannot ${what}.`,
    { hint: `Set it at the machine, and remove ${capability} from the capabilities of the node or instance.` },
  );
}

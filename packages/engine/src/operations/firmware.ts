import {
  explain,
  firmwareRequestOf,
  IronbarkError,
  isIronbarkError,
  timestamp,
  type BootMode,
  type Node,
  type Task,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { editInternalInfo } from '../internal-info.ts';
import { bootChoiceOf } from './boot.ts';

/** Key of `driver_internal_info`: Secure Boot was turned on for an instance, so it is turned off for one that does not ask for it. */
const secureBootKey = 'secure_boot_turned_on';

/**
 * Sets boot mode and Secure Boot as the node's records ask for, where the machine has them otherwise, and keeps the node's record true. A
 * machine that does not say what boot mode it has is believed to have the one that the records name when it cannot be set. The machine is
 * off. Safe to repeat.
 * @throws UNSUPPORTED, or what the management interface throws, when the records ask for what it cannot set; as {@link bootChoiceOf} when
 *   the node cannot boot in the mode that the machine turns out to have.
 */
export async function syncFirmware(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const { node } = task;
  const request = firmwareRequestOf(node);
  const bootMode = await syncBootMode(task, request.bootMode);
  await recordFirmware(context, node, { bootMode }, fence);
  bootChoiceOf({ ...task, node: { ...node, bootMode } });
  const secureBoot = await syncSecureBoot(context, task, request.secureBoot, fence);
  await recordFirmware(context, node, { secureBoot }, fence);
}

async function recordFirmware(
  { store }: EngineContext,
  node: Node,
  found: Partial<Pick<Node, 'bootMode' | 'secureBoot'>>,
  fence: Fence,
): Promise<void> {
  const isKnown = Object.entries(found).every(([key, value]) => node[key as keyof typeof found] === value);
  if (!isKnown) await store.nodes.update(node.uuid, { ...found, updatedAt: timestamp() }, fence);
}

/** @returns the mode that the machine has then; null when it cannot say. */
async function syncBootMode(task: Task, wanted: BootMode | null): Promise<BootMode | null> {
  const { management } = task.driver;
  const current = (await management.getBootMode?.(task)) ?? null;
  if (wanted === null || current === wanted) return current;
  try {
    if (management.setBootMode === undefined) throw cannot(task, `set boot mode ${wanted}`, 'boot_mode');
    await management.setBootMode(task, wanted);
    return wanted;
  } catch (error) {
    const isUnsupported = ['UNSUPPORTED', 'BMC_UNSUPPORTED'].some((code) => isIronbarkError(error, code));
    if (current !== null || !isUnsupported) throw error;
    const facts = { bootMode: wanted, error: explain(error) };
    task.log.warn(facts, 'the boot mode can be neither read nor set; the machine is believed to have it');
    return null;
  }
}

/** @returns whether it is enforced then; null when the machine cannot say. */
async function syncSecureBoot(
  context: EngineContext,
  task: Task,
  asked: boolean | null,
  fence: Fence,
): Promise<boolean | null> {
  const { node, driver } = task;
  const { management } = driver;
  const wasTurnedOn = node.driverInternalInfo[secureBootKey] === true;
  const wanted = asked ?? (wasTurnedOn ? false : null);
  const current = (await management.getSecureBoot?.(task)) ?? null;
  if (wanted === null) return current;
  // A machine without Secure Boot enforces none.
  const isThere = (current ?? false) === wanted;
  if (!isThere) {
    if (management.setSecureBoot === undefined) throw cannot(task, 'turn Secure Boot on or off', 'secure_boot');
    // Noted before it is turned on, and until it is off: the next instance finds the note, whatever interrupts this one.
    if (wanted) await noteSecureBoot(context, node, true, fence);
    await management.setSecureBoot(task, wanted);
  }
  if (!wanted) await noteSecureBoot(context, node, false, fence);
  return isThere ? current : wanted;
}

async function noteSecureBoot(context: EngineContext, node: Node, isTurnedOn: boolean, fence: Fence): Promise<void> {
  if ((node.driverInternalInfo[secureBootKey] === true) === isTurnedOn) return;
  await editInternalInfo(
    context,
    node.uuid,
    ({ [secureBootKey]: _before, ...rest }) => (isTurnedOn ? { ...rest, [secureBootKey]: true } : rest),
    fence,
  );
}

function cannot({ node, driver }: Task, what: string, capability: string): IronbarkError {
  return new IronbarkError(
    'UNSUPPORTED',
    `The management interface ${driver.names.management} of node ${node.uuid} cannot ${what}.`,
    { hint: `Set it at the machine, and remove ${capability} from the capabilities of the node or instance.` },
  );
}

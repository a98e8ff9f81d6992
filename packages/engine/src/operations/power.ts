import { endsPoweredOn, IronbarkError, timestamp, type PowerTarget, type Task } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';
import { editInternalInfo, holdsAgent, withoutAgent } from '../internal-info.ts';

/** Whether the machine is where a plain on or off request wants it; a reboot is never done already. */
export async function isPowerStateReached(task: Task, target: PowerTarget): Promise<boolean> {
  if (target === 'rebooting' || target === 'soft rebooting') return false;
  const state = await task.driver.power.getPowerState(task);
  return state === (target === 'power on' ? 'power on' : 'power off');
}

/** Asks the machine's power interface, and keeps the node's record true. */
export async function changePower(
  context: EngineContext,
  task: Task,
  target: PowerTarget,
  fence: Fence,
  timeoutMs?: number,
): Promise<void> {
  const { store, hooks, powerTimeoutMs, softPowerTimeoutMs } = context;
  const soft = target === 'soft power off' || target === 'soft rebooting';
  await hooks.beforePowerChange.promise(task, target);
  const { supportedTargets } = task.driver.power;
  if (supportedTargets !== undefined && !supportedTargets.includes(target)) {
    throw new IronbarkError(
      'UNSUPPORTED',
      `The power interface ${task.driver.names.power} does not support "${target}".`,
      {
        hint: `It supports: ${supportedTargets.join(', ')}.`,
      },
    );
  }
  if (holdsAgent(task.node.driverInternalInfo)) await editInternalInfo(context, task.node.uuid, withoutAgent, fence);
  await task.driver.power.setPowerState(task, target, timeoutMs ?? (soft ? softPowerTimeoutMs : powerTimeoutMs));
  const powerState = endsPoweredOn(target) ? 'power on' : 'power off';
  await store.nodes.update(task.node.uuid, { powerState, targetPowerState: null, updatedAt: timestamp() }, fence);
  await observe(hooks.afterPowerChange, task, target);
}

/** Reads the power state from the machine into the node's record. @throws what the power interface throws. */
export async function syncPowerState(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const powerState = await task.driver.power.getPowerState(task);
  if (powerState !== task.node.powerState) await context.store.nodes.update(task.node.uuid, { powerState }, fence);
}

import { endsPoweredOn, IronbarkError, timestamp, type PowerState, type PowerTarget, type Task } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';
import { editInternalInfo, holdsAgent, withoutAgent } from '../internal-info.ts';

/** The state that a request leads to where it is not reached yet; undefined for a reboot, which is never done already. */
export function wantedState(target: PowerTarget): PowerState | undefined {
  if (target === 'rebooting' || target === 'soft rebooting') return undefined;
  return target === 'power on' ? 'power on' : 'power off';
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
export async function syncPowerState(context: EngineContext, task: Task, fence: Fence): Promise<PowerState> {
  const powerState = await task.driver.power.getPowerState(task);
  if (powerState !== task.node.powerState) await context.store.nodes.update(task.node.uuid, { powerState }, fence);
  return powerState;
}

/**
 * Reads back that the machine is off before its volumes are taken away: it may have been powered on by somebody else since, and would be
 * writing to them.
 * @throws POWER_STATE_FAILURE.
 */
export async function confirmOff(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const powerState = await syncPowerState(context, task.forInterface('power'), fence);
  if (powerState === 'power off') return;
  throw new IronbarkError(
    'POWER_STATE_FAILURE',
    `The machine of node ${task.node.uuid} is not off: its BMC reports "${powerState}". No volume is taken from it.`,
    {
      hint: 'Find out who has powered it on, then repeat the request.',
    },
  );
}

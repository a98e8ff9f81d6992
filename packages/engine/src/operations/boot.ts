import { randomBytes } from 'node:crypto';
import {
  decideBootSource,
  initiatorOf,
  IronbarkError,
  isSecret,
  Secret,
  type AttachedVolume,
  type BootReportUrl,
  type BootSource,
  type Task,
  type VolumeTarget,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';
import { editInternalInfo } from '../internal-info.ts';
import { createJournal } from '../task.ts';
import { attachedVolumes } from './volumes.ts';

const tokenKey = 'boot_report_token';

/** The target that the node boots from when its connection is not among these; undefined when there is none, or it is known. */
export function unconnectedBootTarget(task: Task, volumes: readonly AttachedVolume[]): VolumeTarget | undefined {
  if (task.driver.storage.shouldWriteImage(task)) return undefined;
  const boot = task.volumeTargets.find(({ bootIndex }) => bootIndex === 0);
  return volumes.some(({ target }) => target.uuid === boot?.uuid) ? undefined : boot;
}

/**
 * What the node boots from, given its volumes' connections.
 * @throws INVALID_PARAMETER with the change that solves a contradiction; STORAGE_FAILURE when the boot volume has no connection.
 */
export function bootSourceOf(task: Task, volumes: readonly AttachedVolume[]): BootSource {
  const unconnected = unconnectedBootTarget(task, volumes);
  if (unconnected !== undefined) {
    throw new IronbarkError(
      'STORAGE_FAILURE',
      `Volume target ${unconnected.uuid}, which node ${task.node.uuid} boots from, is not attached: its connection is not known.`,
    );
  }
  return decideBootSource({
    node: task.node,
    initiator: initiatorOf(task.volumeConnectors),
    volumes,
    writesImage: task.driver.storage.shouldWriteImage(task),
  });
}

/** Renders the boot configuration from the connections as they are now and puts it in place. Safe to repeat. */
export async function prepareBoot(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const source = bootSourceOf(task, await attachedVolumes(context, task));
  const artifacts = task.driver.boot.render(task, { source, reportUrl: await bootReportUrl(context, task, fence) });
  await observe(context.hooks.artifactsRendered, task, artifacts);
  await task.driver.boot.apply(task, artifacts);
  if ('volume' in source) await recordBootVolume(context, task, source.volume.targetUuid, fence);
}

/** Tells the machine to boot, from now on, from what the boot configuration serves. */
export async function setBootDevice(context: EngineContext, task: Task): Promise<void> {
  const source = bootSourceOf(task, await attachedVolumes(context, task));
  const { bootDevice } = task.driver.boot.render(task, { source, reportUrl: null });
  if (bootDevice !== null) await task.driver.management.setBootDevice(task, bootDevice, true);
}

/** Removes the boot configuration; boot reports of the machine are refused from now on. */
export async function cleanUpBoot(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  await task.driver.boot.cleanUp(task);
  await createJournal(context, task.node.uuid, 'engine', fence).delete(tokenKey);
}

/** Clients of the Bare Metal API look here to see that a node boots from a volume. */
async function recordBootVolume(
  context: EngineContext,
  { node }: Task,
  targetUuid: string,
  fence: Fence,
): Promise<void> {
  if (node.driverInternalInfo['boot_from_volume'] === targetUuid) return;
  await editInternalInfo(context, node.uuid, (current) => ({ ...current, boot_from_volume: targetUuid }), fence);
}

/** The address where a machine reports; the token is made once per deployment, so that scripts stay the same until something changes. */
async function bootReportUrl(context: EngineContext, task: Task, fence: Fence): Promise<BootReportUrl | null> {
  const apiUrl = await context.apiUrl();
  if (apiUrl === null) return null;
  const known = await bootReportToken(context, task.node.uuid);
  const token = known ?? Secret.of(randomBytes(18).toString('base64url'));
  if (known === undefined) await createJournal(context, task.node.uuid, 'engine', fence).put(tokenKey, token);
  return { prefix: bootReportPrefix(apiUrl, task.node.uuid), token };
}

export function bootReportPrefix(apiUrl: string, nodeUuid: string): string {
  return `${apiUrl}/ironbark/v1/boot-report/${nodeUuid}?token=`;
}

export async function bootReportToken(context: EngineContext, nodeUuid: string): Promise<Secret | undefined> {
  const value = await createJournal(context, nodeUuid, 'engine').get(tokenKey);
  return isSecret(value) ? value : undefined;
}

import {
  explain,
  IronbarkError,
  timestamp,
  type AttachedVolume,
  type Driver,
  type OnVolume,
  type Task,
  type VolumeAttachment,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';
import type { NotificationStatus } from '../notifications.ts';
import { createJournal } from '../task.ts';
import { createVolumeReport, type OverallOutcome } from './volume-report.ts';

/**
 * Note of a detachment that has begun and not ended: some volumes may be released, though all have their records still. It goes when the
 * records are true again.
 */
const detachingKey = 'detaching';

/** Attaches the node's volumes and records their connections. Safe to repeat. */
export async function attachVolumes(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const { hooks } = context;
  if (task.volumeTargets.length === 0) return;
  const volumes = await told(context, task, 'storage_attach', [], async (onVolume) => {
    await hooks.beforeAttach.promise(task);
    const attached = await task.driver.storage.attach(task, onVolume);
    assertComplete(task, attached);
    const attachments = attached.map((volume) => toAttachment(task, volume));
    await recordAttachments(context, task, attachments, fence);
    return attached;
  });
  await observe(hooks.afterAttach, task, volumes);
}

/** Releases the node's volumes; the records of the attachments go only when every release is proven. Safe to repeat. */
export async function detachVolumes(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const { store, hooks } = context;
  const attachments = await store.attachments.list(task.node.uuid);
  await told(context, task, 'storage_detach', attachments, async (onVolume) => {
    await hooks.beforeDetach.promise(task);
    if (attachments.length > 0) await createJournal(context, task.node.uuid, 'engine', fence).put(detachingKey, true);
    await task.driver.storage.detach(task, onVolume);
    if (attachments.length > 0) await recordAttachments(context, task, [], fence);
  });
  await observe(hooks.afterDetach, task);
}

async function recordAttachments(
  { store }: EngineContext,
  { node }: Task,
  attachments: readonly VolumeAttachment[],
  fence: Fence,
): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.attachments.replace(node.uuid, attachments, fence);
    await transaction.journal.delete(node.uuid, 'engine', detachingKey, fence);
  });
}

/** Announces the beginning of the work, and its end with what became of each volume. */
async function told<Result>(
  { notifier }: EngineContext,
  task: Task,
  action: 'storage_attach' | 'storage_detach',
  attachments: readonly VolumeAttachment[],
  work: (onVolume: OnVolume) => Promise<Result>,
): Promise<Result> {
  const report = createVolumeReport(task.volumeTargets, attachments);
  const startedAt = Date.now();
  const tell = (status: NotificationStatus, overall?: Omit<OverallOutcome, 'durationMs'>) => {
    const facts = overall === undefined ? undefined : { ...overall, durationMs: Date.now() - startedAt };
    return notifier.node(action, status, task.node, report.facts(facts));
  };
  await tell('start');
  let result: Result;
  try {
    result = await work(report.onVolume);
  } catch (error) {
    await tell('error', { result: 'failed', error: explain(error) });
    throw error;
  }
  await tell('end', { result: action === 'storage_attach' ? 'attached' : 'released', error: null });
  return result;
}

/** Whether a volume may be attached to the node: by our records, or by what its storage driver has written down. */
export async function holdsVolumes({ store }: EngineContext, nodeUuid: string): Promise<boolean> {
  if ((await store.attachments.list(nodeUuid)).length > 0) return true;
  return (await store.journal.list(nodeUuid, 'storage')).size > 0;
}

/** Whether there can be anything to release, also where no record is left of it. */
export async function mayHaveVolumes(context: EngineContext, { node, volumeTargets }: Task): Promise<boolean> {
  return volumeTargets.length > 0 || (await holdsVolumes(context, node.uuid));
}

/** Whether our records show every target of the node as attached, and no detachment has begun since. */
export async function isEveryTargetAttached(context: EngineContext, task: Task): Promise<boolean> {
  if (task.volumeTargets.length === 0) return true;
  const { uuid: nodeUuid } = task.node;
  if ((await createJournal(context, nodeUuid, 'engine').get(detachingKey)) !== undefined) return false;
  const attachments = await context.store.attachments.list(nodeUuid);
  return task.volumeTargets.every(({ uuid, volumeId }) => {
    return attachments.some((attachment) => attachment.targetUuid === uuid && attachment.volumeId === volumeId);
  });
}

/** Whether nothing has to be attached or released for a machine that is on, or off. Only of an `active` node volumes follow the power. */
export async function areVolumesInPlace(context: EngineContext, task: Task, isOn: boolean): Promise<boolean> {
  if (task.node.provisionState !== 'active' || task.driver.names.storage === 'noop') return true;
  if (isOn) return isEveryTargetAttached(context, task);
  return !followsPower(task.driver) || !(await holdsVolumes(context, task.node.uuid));
}

/** Whether the volumes of an active node come and go with its power. */
export function followsPower({ storage }: Driver): boolean {
  return storage.followsPower ?? true;
}

/** A volume without a connection would let the machine boot from something else. */
function assertComplete(task: Task, volumes: readonly AttachedVolume[]): void {
  const missing = task.volumeTargets.find((target) => !volumes.some((volume) => volume.target.uuid === target.uuid));
  if (missing === undefined) return;
  throw new IronbarkError(
    'STORAGE_FAILURE',
    `The storage interface ${task.driver.names.storage} gave no connection for volume target ${missing.uuid}.`,
  );
}

/** The node's recorded connections beside their targets, in the order of the boot index. */
export async function attachedVolumes(context: EngineContext, task: Task): Promise<readonly AttachedVolume[]> {
  const attachments = await context.store.attachments.list(task.node.uuid);
  return attachments.flatMap(({ targetUuid, connection }) => {
    const target = task.volumeTargets.find(({ uuid }) => uuid === targetUuid);
    return target === undefined ? [] : [{ target, connection }];
  });
}

function toAttachment(task: Task, { target, connection }: AttachedVolume): VolumeAttachment {
  return {
    nodeUuid: task.node.uuid,
    targetUuid: target.uuid,
    volumeId: target.volumeId,
    bootIndex: target.bootIndex,
    connection,
    attachedAt: timestamp(),
  };
}

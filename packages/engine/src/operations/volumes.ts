import {
  explain,
  IronbarkError,
  timestamp,
  type AttachedVolume,
  type Info,
  type Task,
  type VolumeAttachment,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { observe } from '../hook-call.ts';

/** Attaches the node's volumes and records their connections. Safe to repeat. */
export async function attachVolumes(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const { store, hooks, notifier } = context;
  if (task.volumeTargets.length === 0) return;
  const startedAt = Date.now();
  await notifier.node('storage_attach', 'start', task.node, volumeFacts(task));
  try {
    await hooks.beforeAttach.promise(task);
    const volumes = await task.driver.storage.attach(task);
    assertComplete(task, volumes);
    await store.attachments.replace(
      task.node.uuid,
      volumes.map((volume) => toAttachment(task, volume)),
      fence,
    );
    await notifier.node('storage_attach', 'end', task.node, {
      ...volumeFacts(task),
      duration_ms: Date.now() - startedAt,
    });
    await observe(hooks.afterAttach, task, volumes);
  } catch (error) {
    await notifier.node('storage_attach', 'error', task.node, {
      ...volumeFacts(task),
      error: explain(error),
      duration_ms: Date.now() - startedAt,
    });
    throw error;
  }
}

/** Releases the node's volumes; the records of the attachments go only when every release is proven. Safe to repeat. */
export async function detachVolumes(context: EngineContext, task: Task, fence: Fence): Promise<void> {
  const { store, hooks, notifier } = context;
  const attachments = await store.attachments.list(task.node.uuid);
  if (task.volumeTargets.length === 0 && !(await holdsVolumes(context, task.node.uuid))) return;
  const startedAt = Date.now();
  await notifier.node('storage_detach', 'start', task.node, volumeFacts(task));
  try {
    await hooks.beforeDetach.promise(task);
    await task.driver.storage.detach(task);
    if (attachments.length > 0) await store.attachments.replace(task.node.uuid, [], fence);
    await notifier.node('storage_detach', 'end', task.node, {
      ...volumeFacts(task),
      duration_ms: Date.now() - startedAt,
    });
    await observe(hooks.afterDetach, task);
  } catch (error) {
    await notifier.node('storage_detach', 'error', task.node, {
      ...volumeFacts(task),
      error: explain(error),
      duration_ms: Date.now() - startedAt,
    });
    throw error;
  }
}

/** Whether a volume may be attached to the node: by our records, or by what its storage driver has written down. */
export async function holdsVolumes({ store }: EngineContext, nodeUuid: string): Promise<boolean> {
  if ((await store.attachments.list(nodeUuid)).length > 0) return true;
  return (await store.journal.list(nodeUuid, 'storage')).size > 0;
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

function volumeFacts(task: Task): Info {
  return {
    volumes: task.volumeTargets.map((target) => ({
      uuid: target.uuid,
      volume_id: target.volumeId,
      boot_index: target.bootIndex,
    })),
  };
}

import { explain, type OnVolume, type Task } from '@ironbark/core';
import { isLockLost, failureOfVolumes, type VolumeFailure } from './failure.ts';
import { AttachmentNotes } from './journal-notes.ts';
import { ownerOf } from './owner.ts';
import type { CinderContext } from './protocol.ts';
import { releaseVolume, releasingConnector } from './release.ts';
import { isVolumeId } from './validation.ts';

/**
 * Releases the volumes of the targets and those of the journal, whose targets may be gone, all at once.
 * @throws STORAGE_FAILURE naming those whose release failed or is not proven.
 */
export async function detachVolumes(context: CinderContext, task: Task, onVolume: OnVolume): Promise<void> {
  task.signal.throwIfAborted();
  const notes = new AttachmentNotes(task.journal);
  const noted = (await notes.list()).map(({ volumeId }) => volumeId);
  // What is no id of a volume was never attached.
  const targeted = task.volumeTargets.map(({ volumeId }) => volumeId).filter(isVolumeId);
  const lost = new AbortController();
  const signal = AbortSignal.any([task.signal, lost.signal]);
  const { settleMs } = context.options;
  const work = {
    owner: ownerOf(task.node),
    connector: releasingConnector(task),
    notes,
    settleMs,
    signal,
    log: task.log,
  };
  const { provisionState } = task.node;
  // What is taken back from a failed deployment is looked at again when the node is deployed or undeployed.
  const options = { isOwnWork: false, isLast: provisionState !== 'deploying', isForGood: provisionState !== 'active' };
  const left: VolumeFailure[] = [];
  const release = async (volumeId: string) => {
    const startedAt = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAt);
    try {
      const result = await releaseVolume(context, { ...work, volumeId }, options);
      onVolume({ volumeId, result, durationMs: durationMs(), error: null });
    } catch (error) {
      if (isLockLost(error)) lost.abort(error);
      if (signal.aborted) return;
      left.push({ volumeId, error });
      onVolume({ volumeId, result: 'failed', durationMs: durationMs(), error: explain(error) });
    }
  };
  await Promise.all([...new Set([...targeted, ...noted])].map(release));
  signal.throwIfAborted();
  if (left.length > 0) throw failureOfVolumes(`Volumes of node ${task.node.uuid} may still be attached.`, left, []);
}

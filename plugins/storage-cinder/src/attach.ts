import { explain, type AttachedVolume, type IronbarkError, type OnVolume, type Task } from '@ironbark/core';
import { connectorOf } from './connector.ts';
import { failureOfVolumes, isLockLost, type VolumeFailure } from './failure.ts';
import { AttachmentNotes } from './journal-notes.ts';
import { ownerOf } from './owner.ts';
import type { CinderContext } from './protocol.ts';
import { checkTargets } from './validation.ts';
import { VolumeCourse } from './volume-course.ts';

/**
 * Attaches the volumes of a node: reserves and exports all of them at once, and completes them in the order of their boot index. What
 * this call made is released when one of them fails. An aborted call releases nothing: the journal tells the next one where it was.
 */
export async function attachVolumes(
  context: CinderContext,
  task: Task,
  onVolume: OnVolume,
): Promise<readonly AttachedVolume[]> {
  task.signal.throwIfAborted();
  if (task.volumeTargets.length === 0) return [];
  checkTargets(task.volumeTargets);
  const attachment = new Attachment(context, task);
  await attachment.each((course) => course.connect());
  await attachment.inBootOrder((course) => course.complete());
  const { courses, failures } = attachment;
  if (failures.size > 0) throw await giveUp(attachment, task.node.uuid, onVolume);
  await Promise.all(courses.map((course) => course.mark()));
  for (const course of courses) onVolume(course.outcome(course.isBegun ? 'attached' : 'adopted'));
  return courses.map((course) => course.attached());
}

/** The work on all volumes of a node. A failure stays with its volume, but the loss of the lock or an abort ends everything. */
class Attachment {
  readonly courses: readonly VolumeCourse[];
  readonly failures = new Map<VolumeCourse, unknown>();
  readonly #lost = new AbortController();
  readonly #signal: AbortSignal;

  constructor(context: CinderContext, { node, volumeConnectors, volumeTargets, journal, signal, log }: Task) {
    this.#signal = AbortSignal.any([signal, this.#lost.signal]);
    const notes = new AttachmentNotes(journal);
    const connector = connectorOf({ node, volumeConnectors });
    const { settleMs } = context.options;
    const work = { owner: ownerOf(node), connector, notes, settleMs, signal: this.#signal, log };
    this.courses = volumeTargets.map((target) => {
      return new VolumeCourse(context, target, { ...work, volumeId: target.volumeId });
    });
  }

  /** @throws the reason of the abort, or LOCK_LOST. */
  async each(step: (course: VolumeCourse) => Promise<void>): Promise<void> {
    await Promise.all(this.courses.map((course) => this.#run(course, step)));
    this.#signal.throwIfAborted();
  }

  /** Stops at the first failure. @throws as {@link Attachment.each}. */
  async inBootOrder(step: (course: VolumeCourse) => Promise<void>): Promise<void> {
    for (const course of this.courses) {
      if (this.failures.size > 0) return;
      await this.#run(course, step);
      this.#signal.throwIfAborted();
    }
  }

  async #run(course: VolumeCourse, step: (course: VolumeCourse) => Promise<void>): Promise<void> {
    try {
      await step(course);
    } catch (error) {
      if (isLockLost(error)) this.#lost.abort(error);
      if (!this.failures.has(course)) this.failures.set(course, error);
    }
  }
}

/** Releases what was begun, and tells what became of each volume. */
async function giveUp(attachment: Attachment, nodeUuid: string, onVolume: OnVolume): Promise<IronbarkError> {
  const { failures } = attachment;
  const left: VolumeFailure[] = [];
  await attachment.each(async (course) => {
    const { isBegun, volumeId } = course;
    const reason = failures.get(course);
    const unreleased = isBegun ? await failureIn(course.release()) : undefined;
    if (unreleased !== undefined) left.push({ volumeId, error: unreleased });
    const error = reason ?? unreleased;
    if (error === undefined) onVolume(course.outcome(isBegun ? 'released' : 'adopted'));
    else onVolume(course.outcome('failed', explain(error)));
  });
  const failed = [...failures].map(([{ volumeId }, error]) => ({ volumeId, error }));
  return failureOfVolumes(`The volumes of node ${nodeUuid} could not be attached.`, failed, left);
}

async function failureIn(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isLockLost(error)) throw error;
    return error;
  }
}

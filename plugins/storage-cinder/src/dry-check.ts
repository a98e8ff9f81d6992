import { explain, type Task, type VolumeTarget } from '@ironbark/core';
import { AttachmentNotes, type AttachmentNote } from './journal-notes.ts';
import { ownerOf } from './owner.ts';
import type { CinderContext } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { surveyVolume, type Survey } from './survey.ts';
import { writesImage } from './validation.ts';

/** What Cinder says of a node's volumes before anything is done with them. */
export interface DryCheck {
  readonly volumes: readonly CheckedVolume[];
  /** Why attaching would fail, as sentences. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface CheckedVolume {
  readonly target: VolumeTarget;
  readonly note: AttachmentNote | undefined;
  /** Undefined when Cinder could not be asked. */
  readonly survey: Survey | undefined;
  readonly problem?: string | undefined;
  /** Why Cinder could not be asked. */
  readonly silence?: string;
}

/** Clients of the API wait for the result of a validation. */
const patienceMs = 5000;

/**
 * Looks whether the volumes of a node can be attached: whether they exist, are free, or are attached to the node already. Changes
 * nothing and takes a few seconds at most. That Cinder cannot be asked is a warning, not a failure.
 */
export async function checkVolumes(context: CinderContext, task: Task): Promise<DryCheck> {
  const volumes = await Promise.all(task.volumeTargets.map((target) => checkVolume(context, task, target)));
  const silences = new Set(volumes.flatMap(({ silence }) => silence ?? []));
  return {
    volumes,
    problems: volumes.flatMap(({ problem }) => problem ?? []),
    warnings: [
      ...[...silences].map(
        (reason) => `Cinder could not be asked about the volumes of node ${task.node.uuid}. ${reason}`,
      ),
      ...volumes.flatMap((volume) => bootWarning(task, volume)),
    ],
  };
}

async function checkVolume({ service }: CinderContext, task: Task, target: VolumeTarget): Promise<CheckedVolume> {
  const { volumeId } = target;
  const note = await new AttachmentNotes(task.journal).get(volumeId);
  const timeout = AbortSignal.timeout(patienceMs);
  const signal = AbortSignal.any([task.signal, timeout]);
  try {
    const { hasAttachments } = await service.capabilities(signal);
    const survey = await surveyVolume(service, { volumeId, owner: ownerOf(task.node), note, signal });
    return { target, note, survey, problem: refusalOf(target, survey, { sharesVolumes: hasAttachments }) };
  } catch (error) {
    task.signal.throwIfAborted();
    const silence = timeout.aborted ? `It did not answer within ${patienceMs / 1000} s.` : explain(error);
    return { target, note, survey: undefined, silence };
  }
}

function bootWarning(task: Task, { target, survey }: CheckedVolume): readonly string[] {
  if (target.bootIndex !== 0 || survey?.volume?.bootable !== false || writesImage(task)) return [];
  return [
    `Node ${task.node.uuid} is to boot from volume ${target.volumeId}, which is not marked as bootable in Cinder: it may have no system.`,
  ];
}

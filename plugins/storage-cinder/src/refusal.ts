import type { VolumeTarget } from '@ironbark/core';
import { describeHolder, type Survey } from './survey.ts';

/** What the service can do, as far as it decides whether a volume can be attached. */
export interface Abilities {
  /** Whether one of two attachments can be released without harm to the other. */
  readonly sharesVolumes: boolean;
}

/** Why a volume cannot be attached to the node now, as a sentence; undefined when it can. Cinder has the last word. */
export function refusalOf(target: VolumeTarget, survey: Survey, { sharesVolumes }: Abilities): string | undefined {
  const { volume, own, others } = survey;
  const name = `Volume ${target.volumeId} (volume target ${target.uuid})`;
  if (volume === null)
    return `${name} does not exist in Cinder, or the user of the conductor may not see it: check the id, and that this user has the role admin.`;
  if (typeof target.projectId === 'string' && volume.projectId !== target.projectId) {
    return `${name} is not in project ${target.projectId}, which named it: a project may attach its own volumes only. An operator, whose roles hold for all nodes, may create the target.`;
  }
  if (own.length > 0) return undefined;
  const { status, multiattach } = volume;
  // Also of a volume that somebody has declared to be available.
  const holders = others.map(describeHolder).join(', ');
  if (holders !== '' && !multiattach)
    return `${name} is attached to ${holders}, and it is not a multiattach volume. Detach it there, or delete the volume target.`;
  if (holders !== '' && !sharesVolumes) {
    return `${name} is attached to ${holders}, and a Cinder without attachments (microversion 3.44) would end both attachments when it releases one.`;
  }
  const good = multiattach ? ['available', 'in-use'] : ['available'];
  if (good.includes(status)) return undefined;
  return `${name} has the status ${JSON.stringify(status)}; it has to be ${good.map((each) => `"${each}"`).join(' or ')}.`;
}

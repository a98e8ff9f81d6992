import type { CinderAttachment, CinderVolume } from './access.ts';
import type { VolumeExport } from './exports.ts';

export interface Holdings {
  readonly volumes: readonly CinderVolume[];
  readonly attachments: readonly CinderAttachment[];
  readonly exports: readonly VolumeExport[];
}

/** Finds what an operation that has ended leaves behind when nothing should be attached any more. */
export function findLeaks(
  { volumes, attachments, exports }: Holdings,
  volumeIds?: readonly string[],
): readonly string[] {
  const isLookedAt = (id: string): boolean => volumeIds?.includes(id) ?? true;
  const inUse = new Set(volumes.filter(({ status }) => status === 'in-use').map(({ id }) => id));
  return [
    ...volumes
      .filter(({ id, status }) => isLookedAt(id) && ['attaching', 'detaching', 'reserved'].includes(status))
      .map(({ id, status }) => `Volume ${id} is ${status}.`),
    ...exports
      .filter(({ volumeId }) => isLookedAt(volumeId) && !inUse.has(volumeId))
      .map(({ volumeId, target }) => `Volume ${volumeId} is not in use, and is exported (${target}).`),
    ...attachments
      .filter((attachment) => isLookedAt(attachment.volume_id))
      .map(({ id, volume_id, status }) => `Volume ${volume_id} has attachment ${id} (${status}).`),
  ];
}

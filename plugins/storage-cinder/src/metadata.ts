import { explain, type Logger } from '@ironbark/core';
import type { BlockStorage, Volume } from '@ironbark/openstack';
import { z } from 'zod';
import type { Owner } from './owner.ts';

/** Begins the key under which a volume says which node uses it; the node's uuid follows. Shared with Ironic. */
export const metadataKeyPrefix = 'ironic_node_';

export type LastAction = 'attached' | 'detached';

interface Marking {
  readonly service: BlockStorage;
  readonly volume: Volume;
  readonly owner: Owner;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Notes on a volume which node uses it, for people and for reconciliation. Owners of volumes can write there too, so it is a hint and
 * never a proof, and a failure is only told in the log.
 */
export async function markVolume(marking: Marking, action: LastAction): Promise<void> {
  const { service, volume, owner, signal } = marking;
  const lastSeen = new Date().toISOString().slice(0, -1);
  const mark = { instance_uuid: owner.instanceUuid, last_seen: lastSeen, last_action: action };
  const metadata = { [metadataKeyPrefix + owner.nodeUuid]: JSON.stringify(mark) };
  await tolerated(marking, service.setVolumeMetadata(volume.id, metadata, signal));
}

/** Removes the note of {@link markVolume}; asks Cinder only when there is one. */
export async function unmarkVolume(marking: Marking): Promise<void> {
  const { service, volume, owner, signal } = marking;
  const key = metadataKeyPrefix + owner.nodeUuid;
  if (key in volume.metadata) await tolerated(marking, service.deleteVolumeMetadata(volume.id, key, signal));
}

async function tolerated({ volume, log }: Marking, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    log.warn({ volume: volume.id, error: explain(error) }, 'the metadata of a volume was not updated');
  });
}

const markSchema = z.object({ instance_uuid: z.guid(), last_action: z.enum(['attached', 'detached']) });

export interface Mark {
  readonly nodeUuid: string;
  readonly instanceUuid: string;
  readonly lastAction: LastAction;
}

/** The marks of a volume that can be read, also those of Ironic. */
export function marksOf(volume: Volume): readonly Mark[] {
  return Object.entries(volume.metadata).flatMap(([key, text]): readonly Mark[] => {
    const nodeUuid = z.guid().safeParse(key.slice(metadataKeyPrefix.length));
    if (!key.startsWith(metadataKeyPrefix) || !nodeUuid.success) return [];
    const mark = markSchema.safeParse(parsed(text));
    if (!mark.success) return [];
    return [{ nodeUuid: nodeUuid.data, instanceUuid: mark.data.instance_uuid, lastAction: mark.data.last_action }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

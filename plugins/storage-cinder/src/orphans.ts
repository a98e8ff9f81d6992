import type { AttachmentFinding } from '@ironbark/core';
import type { BlockStorage, Volume } from '@ironbark/openstack';
import { marksOf, metadataKeyPrefix, type Mark } from './metadata.ts';

/**
 * Volumes that are marked as attached to nodes which this conductor does not know, and are attached indeed. A mark can be forged, and
 * the node may be another conductor's: nothing here is proven to be ours.
 */
export async function findOrphanedVolumes(
  service: BlockStorage,
  isKnown: (nodeUuid: string) => boolean,
  signal: AbortSignal,
): Promise<readonly AttachmentFinding[]> {
  const volumes = await service.listVolumesMarked(metadataKeyPrefix, signal);
  return volumes.flatMap((volume) => {
    const marks = marksOf(volume).filter(({ nodeUuid }) => !isKnown(nodeUuid));
    return marks.flatMap((mark) => findingsOf(volume, mark));
  });
}

/** Statuses of a volume on its way to or from a machine. */
const halfway: readonly string[] = ['reserved', 'attaching', 'detaching'];

function findingsOf(volume: Volume, { nodeUuid, instanceUuid, lastAction }: Mark): readonly AttachmentFinding[] {
  const finding = (attachmentId: string | null, what: string): AttachmentFinding => ({
    kind: 'leaked',
    nodeUuid,
    volumeId: volume.id,
    attachmentId,
    explanation: `Volume ${volume.id} ${what} node ${nodeUuid}, which is not known here. If no other conductor has that node, delete the attachment by hand.`,
    isOurs: false,
    isRepaired: false,
  });
  const attached = volume.attachments.filter(({ serverId, hostName }) => {
    return serverId === instanceUuid || serverId === nodeUuid || hostName === nodeUuid;
  });
  if (attached.length === 0 && lastAction === 'attached' && halfway.includes(volume.status)) {
    return [finding(null, `has the status ${volume.status} and is marked for`)];
  }
  return attached.map(({ attachmentId }) => finding(attachmentId, 'is attached for'));
}

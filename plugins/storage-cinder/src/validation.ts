import {
  bootSituationOf,
  checkVolumeCapability,
  chooseBoot,
  initiatorOf,
  invalidParameter,
  isImageOfVolume,
  type Task,
  type VolumeTarget,
} from '@ironbark/core';

/** Ids of volumes are uuids; nothing else may become a part of an address of the service. */
const volumeIdPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isVolumeId(text: string): boolean {
  return volumeIdPattern.test(text);
}

/**
 * As in Ironic: an `image_source` counts when the key is there, whatever its value. It asks for no image to be written where it describes
 * the boot volume (specification "UEFI PXE boot from root iSCSI volume").
 */
export function writesImage(task: Pick<Task, 'node' | 'driver' | 'volumeTargets'>): boolean {
  if (!task.volumeTargets.some(({ bootIndex }) => bootIndex === 0)) return true;
  return Object.hasOwn(task.node.instanceInfo, 'image_source') && !isImageOfVolume(task);
}

/**
 * Checks the records of a node, without Cinder. A node without volumes passes whatever its connectors and capabilities are.
 * @throws INVALID_PARAMETER naming the record and the fix.
 */
export function checkRecords(task: Task): void {
  if (task.volumeTargets.length === 0) return;
  checkTargets(task.volumeTargets);
  for (const target of task.volumeTargets) checkConnector(task, target);
  const boot = task.volumeTargets.find(({ bootIndex }) => bootIndex === 0);
  if (boot === undefined || writesImage(task)) return;
  // Whether a boot interface reaches a Fibre Channel volume is its own affair: a host bus adapter needs none.
  if (boot.volumeType === 'iscsi') chooseBoot(bootSituationOf(task));
  else checkVolumeCapability(task.node, boot);
}

/** Checks what targets say by themselves. @throws INVALID_PARAMETER naming the target. */
export function checkTargets(targets: readonly VolumeTarget[]): void {
  const seen = new Map<string, VolumeTarget>();
  for (const target of targets) {
    const { uuid, volumeId, volumeType } = target;
    if (!isVolumeId(volumeId)) {
      throw invalidParameter(
        `The volume_id of volume target ${uuid} is ${JSON.stringify(volumeId)}, which is no id of a volume in Cinder.`,
        { hint: 'Give the id that "openstack volume show <volume>" prints.' },
      );
    }
    const other = seen.get(volumeId);
    if (other !== undefined) {
      throw invalidParameter(`The volume_id ${volumeId} is in volume target ${uuid} and in ${other.uuid}.`, {
        hint: 'A node attaches a volume once: delete one of the targets.',
      });
    }
    if (volumeType !== 'iscsi' && volumeType !== 'fibre_channel') {
      throw invalidParameter(
        `The volume type of volume target ${uuid} is ${JSON.stringify(volumeType)}, which the storage interface cinder does not support.`,
        { hint: 'Use "iscsi" or "fibre_channel", in lower case.' },
      );
    }
    seen.set(volumeId, target);
  }
}

function checkConnector({ node, volumeConnectors }: Task, target: VolumeTarget): void {
  const { iqn, wwpns, wwnns } = initiatorOf(volumeConnectors);
  const where = `Node ${node.uuid} has volume target ${target.uuid} of type ${target.volumeType}`;
  if (target.volumeType === 'iscsi' && iqn === null) {
    throw invalidParameter(`${where}, but no volume connector of type iqn.`, {
      hint: `Create one with: openstack baremetal volume connector create --node ${node.uuid} --type iqn --connector-id <iqn>.`,
    });
  }
  if (target.volumeType !== 'fibre_channel') return;
  if (wwpns.length === 0) {
    throw invalidParameter(`${where}, but no volume connector of type wwpn.`, {
      hint: 'Create a wwpn and a wwnn connector for every port of the adapter.',
    });
  }
  if (wwpns.length !== wwnns.length) {
    throw invalidParameter(
      `${where}, but ${wwpns.length} volume connectors of type wwpn and ${wwnns.length} of type wwnn.`,
      { hint: 'Create a wwpn and a wwnn connector for every port of the adapter.' },
    );
  }
}

import { invalidParameter, missingParameter } from '../errors.ts';
import { checkCapability, type CapabilityTag } from '../driver/capability-tags.ts';
import { isCapabilitySet, parseCapabilities, withCapability } from '../model/capabilities.ts';
import type { VolumeTarget } from '../model/volume.ts';
import type { NfsConnection } from '../volume/connection.ts';
import { initiatorOf } from '../volume/initiator.ts';
import { parseNfsRoot } from '../volume/parse-nfs.ts';
import { firmwareRequestOf, type FirmwareRequest } from './boot-mode.ts';
import { requestedBootOption, type BootOption, type RequestedBootOption } from './boot-option.ts';
import type { BootKind } from './boot-source.ts';
import type { BootSituation } from './boot-situation.ts';

/** What a node boots from, as its records decide it; nothing outside has been asked. */
export interface BootChoice {
  readonly kind: BootKind;
  readonly option: BootOption;
  /** The volume of boot index 0, when the machine boots from it. */
  readonly volumeTarget: VolumeTarget | null;
  readonly nfsRoot: NfsConnection | null;
  /** Whether kernel and ramdisk, or the ISO image, of the instance are served: they have to be looked up. */
  readonly servesImage: boolean;
  /** Whether the deploy interface writes an image. */
  readonly writesImage: boolean;
  readonly firmware: FirmwareRequest;
}

/** Node capability by which an operator says that machines of this kind boot from such a volume; the first name is the usual one. */
const volumeCapabilities: Readonly<Record<string, readonly string[]>> = {
  iscsi: ['iscsi_boot'],
  fibre_channel: ['fiberchannel_boot', 'fibre_channel_boot'],
};

/**
 * Decides what a node boots from. Pure; the same answer serves validation, the dry run, the deployment and every later power on. The
 * table in docs/network-boot.md shows it.
 * @throws INVALID_PARAMETER or MISSING_PARAMETER when the records contradict each other or the driver cannot do what they ask, with the
 *   change that solves it.
 */
export function chooseBoot(situation: BootSituation): BootChoice {
  const firmware = firmwareRequestOf(situation.node);
  const requested = requestedBootOption(situation.node);
  const choice = chooseKind(situation, requested);
  if (choice.kind !== 'local_disk' && choice.kind !== 'hba') checkFirmware(situation, firmware);
  return { volumeTarget: null, nfsRoot: null, servesImage: false, writesImage: false, ...choice, firmware };
}

type Kind = Pick<BootChoice, 'kind' | 'option'> & Partial<BootChoice>;

function chooseKind(situation: BootSituation, requested: RequestedBootOption | undefined): Kind {
  const { node, volumeTargets, deploy } = situation;
  const target = volumeTargets.find(({ bootIndex }) => bootIndex === 0);
  if (checkCapability(deploy, 'ramdisk_deploy')) return chooseRamdisk(situation, target, requested);
  if (requested?.isOrder === true && requested.option === 'ramdisk') {
    throw needsRamdiskDeploy(situation, 'instance_info.boot_option ramdisk', 'boot_option');
  }
  if (isGiven(node.instanceInfo['boot_iso'])) {
    throw needsRamdiskDeploy(situation, 'instance_info.boot_iso', 'boot_iso');
  }
  if (isGiven(node.instanceInfo['nfs_root'])) return chooseNfs(situation, target, requested);
  if (target !== undefined) return chooseVolume(situation, target, requested);
  if (requested?.isOrder === true && requested.option === 'netboot') {
    throw invalidParameter(
      `instance_info.boot_option of node ${node.uuid} is netboot, but the node has nothing to boot over the network.`,
      { hint: 'Create a volume target with boot index 0, set instance_info.nfs_root, or remove boot_option.' },
    );
  }
  return { kind: 'local_disk', option: 'local', writesImage: situation.storage.writesImage };
}

function needsRamdiskDeploy({ node, deploy }: BootSituation, what: string, key: string) {
  return invalidParameter(
    `Node ${node.uuid} has ${what}, but its deploy interface is ${deploy.name}, which runs nothing from a ramdisk or an ISO image.`,
    {
      hint: `Change it with: openstack baremetal node set --deploy-interface ramdisk ${node.uuid}; or take the wish back with: openstack baremetal node unset --instance-info ${key} ${node.uuid}.`,
    },
  );
}

function chooseRamdisk(
  situation: BootSituation,
  target: VolumeTarget | undefined,
  requested: RequestedBootOption | undefined,
): Kind {
  const { node, boot, deploy } = situation;
  const { instanceInfo } = node;
  const isIso = isGiven(instanceInfo['boot_iso']);
  const rival = ['image_source', 'kernel', 'ramdisk'].find((key) => isGiven(instanceInfo[key]));
  const instead = `deploy interface ${deploy.name}`;
  if (target !== undefined) throw bootsTwice(node.uuid, `volume target ${target.uuid} (boot index 0)`, instead);
  if (isGiven(instanceInfo['nfs_root'])) throw bootsTwice(node.uuid, 'instance_info.nfs_root', instead);
  if (isIso && rival !== undefined) {
    throw bootsTwice(node.uuid, 'instance_info.boot_iso', `instance_info.${rival}`);
  }
  if (!isIso && rival === undefined) {
    throw missingParameter(`Node ${node.uuid} has nothing to run: its deploy interface is ${deploy.name}.`, {
      hint: 'Set instance_info.kernel and instance_info.ramdisk, an image_source with the properties kernel_id and ramdisk_id, or instance_info.boot_iso.',
    });
  }
  refuseOrder(situation, requested, ['ramdisk'], instead);
  checkTag(situation, isIso ? 'iso_boot' : 'ramdisk_boot', isIso ? 'an ISO image' : 'a ramdisk', boot.name);
  return { kind: isIso ? 'iso' : 'ramdisk', option: 'ramdisk', servesImage: true };
}

function chooseNfs(
  situation: BootSituation,
  target: VolumeTarget | undefined,
  requested: RequestedBootOption | undefined,
): Kind {
  const { node, boot } = situation;
  if (target !== undefined) {
    throw bootsTwice(node.uuid, `volume target ${target.uuid} (boot index 0)`, 'instance_info.nfs_root');
  }
  refuseOrder(situation, requested, ['netboot'], 'instance_info.nfs_root');
  const nfsRoot = parseNfsRoot(node.instanceInfo['nfs_root'] ?? '', `instance_info.nfs_root of node ${node.uuid}`);
  checkNodeCapability(node, ['nfs_boot'], 'instance_info.nfs_root');
  checkTag(situation, 'nfs_volume_boot', 'an NFS root', boot.name);
  return { kind: 'nfs', option: 'netboot', nfsRoot, servesImage: true };
}

function chooseVolume(
  situation: BootSituation,
  target: VolumeTarget,
  requested: RequestedBootOption | undefined,
): Kind {
  const { node, storage, boot } = situation;
  const { uuid, volumeType } = target;
  const what = `volume target ${uuid} (boot index 0) of type ${volumeType}`;
  if (storage.name === 'noop') {
    throw invalidParameter(`Node ${node.uuid} has ${what}, but its storage interface noop attaches no volumes.`, {
      hint: `Choose another with: openstack baremetal node set --storage-interface <name> ${node.uuid}; or delete the volume target.`,
    });
  }
  if (isCapabilitySet(parseCapabilities(node.properties), 'hba_boot')) return chooseHba(situation, target, requested);
  if (storage.writesImage) {
    refuseOrder(situation, requested, ['local'], 'instance_info.image_source, which is written to the local disk');
    return { kind: 'local_disk', option: 'local', writesImage: true };
  }
  if (volumeType !== 'iscsi' && volumeType !== 'fibre_channel') {
    throw invalidParameter(`Booting from ${what} of node ${node.uuid} is not supported.`, {
      hint: 'Use a volume of type "iscsi" or "fibre_channel" for boot index 0; an NFS root is named by instance_info.nfs_root.',
    });
  }
  refuseOrder(situation, requested, ['netboot'], what);
  checkVolumeCapability(node, target);
  checkTag(situation, `${volumeType}_volume_boot`, `a volume of type ${volumeType}`, boot.name);
  if (volumeType === 'fibre_channel') return { kind: 'fibre_channel', option: 'netboot', volumeTarget: target };
  checkInitiator(situation, what);
  const servesImage = checkCapability(boot, 'kernel_from_image');
  if (servesImage) checkImageVolumes(situation);
  return { kind: 'iscsi', option: 'netboot', volumeTarget: target, servesImage };
}

/** The firmware reaches the volume by itself: nothing is served, and it holds a system already. */
function chooseHba(situation: BootSituation, target: VolumeTarget, requested: RequestedBootOption | undefined): Kind {
  const { node, storage } = situation;
  refuseOrder(situation, requested, ['local'], 'the capability hba_boot');
  if (!storage.writesImage) return { kind: 'hba', option: 'local', volumeTarget: target };
  throw invalidParameter(
    `Node ${node.uuid} boots from volume target ${target.uuid} through its host bus adapter (capability hba_boot), and instance_info.image_source asks for an image.`,
    {
      hint: `The volume has to hold its system already. Remove the image with: openstack baremetal node unset --instance-info image_source ${node.uuid}.`,
    },
  );
}

/** Machines whose kernel is served need an image to take it from; the storage interface knows which image a volume was made of. */
function checkImageVolumes({ node, boot, storage }: BootSituation): void {
  if (checkCapability(storage, 'image_volumes')) return;
  throw invalidParameter(
    `Node ${node.uuid} cannot boot a volume of storage interface ${storage.name} with boot interface ${boot.name}: it serves the kernel and the ramdisk of the image that the volume was made from, and ${storage.name} volumes have no image.`,
    {
      hint: `Use the storage interface cinder, or let the volume's own boot loader start: openstack baremetal node set --boot-interface ipxe ${node.uuid}.`,
    },
  );
}

function checkInitiator({ node, volumeConnectors }: BootSituation, what: string): void {
  if (initiatorOf(volumeConnectors).iqn !== null) return;
  throw invalidParameter(`Node ${node.uuid} has ${what}, but no volume connector of type iqn.`, {
    hint: `Create one with: openstack baremetal volume connector create --node ${node.uuid} --type iqn --connector-id <iqn>.`,
  });
}

/**
 * Checks that the operator has declared the machine able to boot from the volume.
 * @throws INVALID_PARAMETER naming the capability.
 */
export function checkVolumeCapability(node: BootSituation['node'], { uuid, volumeType }: VolumeTarget): void {
  if (isCapabilitySet(parseCapabilities(node.properties), 'hba_boot')) return;
  checkNodeCapability(
    node,
    volumeCapabilities[volumeType] ?? [],
    `volume target ${uuid} (boot index 0) of type ${volumeType}`,
  );
}

function checkNodeCapability(node: BootSituation['node'], names: readonly string[], what: string): void {
  const capabilities = parseCapabilities(node.properties);
  if (names.some((name) => isCapabilitySet(capabilities, name))) return;
  const [name = ''] = names;
  // The field is one text, and setting it replaces all of them.
  const all = withCapability(capabilities, name, 'True');
  const command = all === undefined ? '' : `: openstack baremetal node set --property capabilities=${all} ${node.uuid}`;
  throw invalidParameter(`Node ${node.uuid} has ${what}, but its capability ${names.join(' or ')} is not set.`, {
    hint: `Add "${name}:True" to properties.capabilities, keeping those that are there${command}.`,
  });
}

function checkTag({ node, boot }: BootSituation, tag: CapabilityTag, what: string, name: string): void {
  if (checkCapability(boot, tag)) return;
  throw invalidParameter(`Node ${node.uuid} is to boot ${what}, which its boot interface ${name} does not support.`, {
    hint: `Choose a boot interface with the capability ${tag}, for example: openstack baremetal node set --boot-interface ipxe ${node.uuid}.`,
  });
}

function checkFirmware({ node, boot }: BootSituation, { bootMode }: FirmwareRequest): void {
  const mode = bootMode ?? node.bootMode;
  if (mode !== 'bios' || !checkCapability(boot, 'uefi_only')) return;
  throw invalidParameter(
    `Node ${node.uuid} is in legacy BIOS mode, and its boot interface ${boot.name} boots by UEFI only.`,
    {
      hint: `Set the capability boot_mode:uefi, or choose the boot interface ipxe: openstack baremetal node set --boot-interface ipxe ${node.uuid}.`,
    },
  );
}

function refuseOrder(
  { node }: BootSituation,
  requested: RequestedBootOption | undefined,
  allowed: readonly BootOption[],
  because: string,
): void {
  if (requested?.isOrder !== true || allowed.includes(requested.option)) return;
  throw invalidParameter(
    `instance_info.boot_option of node ${node.uuid} is ${requested.option}, which contradicts ${because}.`,
    { hint: `Set it to "${allowed.join('" or "')}", or remove it: it is then chosen.` },
  );
}

function bootsTwice(nodeUuid: string, one: string, other: string) {
  return invalidParameter(`Node ${nodeUuid} is to boot from two things: ${one} and ${other}.`, {
    hint: 'Remove one of them.',
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

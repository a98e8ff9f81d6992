import { IronbarkError, missingParameter } from '../errors.ts';
import type { ImageReference } from '../image/image-reference.ts';
import type { InstanceImage } from '../image/instance-image.ts';
import type { AttachedVolume } from '../driver/interfaces.ts';
import type { Node } from '../model/node.ts';
import type { VolumeConnection } from '../volume/connection.ts';
import type { Initiator } from '../volume/initiator.ts';
import type { BootChoice } from './choose-boot.ts';
import type { BootSource, BootVolume, ServedKernel, ServedSystem } from './boot-source.ts';

export interface BootSourceFacts {
  readonly node: Pick<Node, 'uuid'>;
  readonly initiator: Initiator;
  /** The node's targets with their connections, in the order of the boot index. */
  readonly volumes: readonly AttachedVolume[];
  /** Needed when the choice serves an image. */
  readonly image: InstanceImage | null;
}

/**
 * Puts together what a node boots from: the choice, with the connections of its volumes and the parts of its image. Pure.
 * @throws STORAGE_FAILURE when the boot volume has no connection, or one of another kind than its target says; MISSING_PARAMETER naming
 *   the part of the image that nobody gave.
 */
export function bootSourceOf(choice: BootChoice, facts: BootSourceFacts): BootSource {
  switch (choice.kind) {
    case 'iscsi': {
      const { volume, extraVolumes } = volumesOf(choice, facts, 'iscsi');
      const system = choice.servesImage ? servedSystem(facts) : null;
      return { kind: 'iscsi', initiatorIqn: facts.initiator.iqn ?? '', volume, extraVolumes, system };
    }
    case 'fibre_channel':
      return { kind: 'fibre_channel', ...volumesOf(choice, facts, 'fibre_channel') };
    case 'nfs':
      if (choice.nfsRoot === null) throw new TypeError('an NFS boot without its export');
      return { kind: 'nfs', connection: choice.nfsRoot, ...servedKernel(facts) };
    case 'ramdisk':
      return { kind: 'ramdisk', ...servedKernel(facts), parameters: [] };
    case 'iso':
      return { kind: 'iso', image: partOf(facts, 'bootIso') };
    case 'hba':
    case 'local_disk':
      break;
  }
  return { kind: choice.kind };
}

/**
 * Checks that a choice which serves an image has all parts of it, where its volume is not attached yet.
 * @throws MISSING_PARAMETER as {@link bootSourceOf}.
 */
export function checkServedImage({ kind, servesImage }: BootChoice, facts: ImageFacts): void {
  if (!servesImage) return;
  if (kind === 'iso') partOf(facts, 'bootIso');
  else if (kind === 'iscsi') servedSystem(facts);
  else servedKernel(facts);
}

type ImageFacts = Pick<BootSourceFacts, 'node' | 'image'>;

type ConnectionOf<Kind extends VolumeConnection['kind']> = Extract<VolumeConnection, { readonly kind: Kind }>;

interface BootVolumes<Connection extends VolumeConnection> {
  readonly volume: BootVolume<Connection>;
  readonly extraVolumes: readonly BootVolume<Connection>[];
}

/** The boot volume and those others that the firmware can reach in the same way. */
function volumesOf<Kind extends VolumeConnection['kind']>(
  { volumeTarget }: BootChoice,
  { node, volumes }: BootSourceFacts,
  kind: Kind,
): BootVolumes<ConnectionOf<Kind>> {
  const isOfKind = (connection: VolumeConnection): connection is ConnectionOf<Kind> => connection.kind === kind;
  const usable = volumes.flatMap(({ target, connection }) => {
    return isOfKind(connection) ? [{ targetUuid: target.uuid, volumeId: target.volumeId, connection }] : [];
  });
  const volume = usable.find(({ targetUuid }) => targetUuid === volumeTarget?.uuid);
  if (volume !== undefined) return { volume, extraVolumes: usable.filter((other) => other !== volume) };
  const found = volumes.find(({ target }) => target.uuid === volumeTarget?.uuid);
  const problem =
    found === undefined
      ? 'is not attached: its connection is not known'
      : `has a connection of type ${found.connection.kind}, though its volume type is ${kind}`;
  throw new IronbarkError(
    'STORAGE_FAILURE',
    `Volume target ${volumeTarget?.uuid}, which node ${node.uuid} boots from, ${problem}.`,
  );
}

function servedKernel(facts: ImageFacts): ServedKernel {
  return { kernel: partOf(facts, 'kernel'), ramdisk: partOf(facts, 'ramdisk') };
}

function servedSystem(facts: ImageFacts): ServedSystem {
  const kernel = servedKernel(facts);
  const { image, node } = facts;
  if (image?.root) return { ...kernel, root: image.root, initramfsType: image.initramfsType };
  throw missingParameter(`The root file system of the image of node ${node.uuid} is not known.`, {
    hint: 'Set the image property rootfs_uuid or rootfs_label, or instance_info.image_rootfs_uuid or image_rootfs_label.',
  });
}

const kernelHint =
  'Set both instance_info.kernel and instance_info.ramdisk; or neither, and an image_source whose image has the properties kernel_id and ramdisk_id.';
const partHints = { kernel: kernelHint, ramdisk: kernelHint, bootIso: 'Set instance_info.boot_iso.' } as const;

function partOf({ node, image }: ImageFacts, part: keyof typeof partHints): ImageReference {
  const reference = image?.[part] ?? null;
  if (reference !== null) return reference;
  const name = part === 'bootIso' ? 'ISO image' : part;
  throw missingParameter(`The ${name} of node ${node.uuid} is not known.`, { hint: partHints[part] });
}

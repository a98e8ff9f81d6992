import {
  initramfsTypes,
  invalidParameter,
  isIronbarkError,
  parseImageReference,
  type ImageReference,
  type InitramfsType,
  type InstanceImage,
  type Node,
  type Task,
} from '@ironbark/core';
import type { Images } from './images.ts';

/** A text and where it is from, for errors. */
interface Said {
  readonly text: string;
  readonly where: string;
}

type Lookup = (key: string) => Said | undefined;

/**
 * What an instance asks to boot. What `instance_info` says counts first, then the properties of the Glance image in its `image_source`.
 * Kernel and ramdisk belong together: when `instance_info` names one of them, the image is not asked for the other.
 * @throws INVALID_PARAMETER naming the record and the field; as {@link Images.describe} of an image that it names.
 */
export async function describeInstanceImage(images: Images, task: Task): Promise<InstanceImage> {
  const { node } = task;
  const instance = instanceLookup(node);
  const image = await imageLookup(images, task, instance('image_source'));
  const isNamed = instance('kernel') !== undefined || instance('ramdisk') !== undefined;
  const partOf = (key: 'kernel' | 'ramdisk'): Promise<ImageReference | null> =>
    isNamed ? usable(images, task, instance(key)) : usable(images, task, image(`${key}_id`), 'glance');
  return {
    kernel: await partOf('kernel'),
    ramdisk: await partOf('ramdisk'),
    bootIso: await usable(images, task, instance('boot_iso')),
    root:
      rootOf(instance('image_rootfs_uuid'), instance('image_rootfs_label')) ??
      rootOf(image('rootfs_uuid'), image('rootfs_label')) ??
      null,
    initramfsType: initramfsTypeOf(instance('initramfs_type') ?? image('initramfs_type')),
  };
}

function instanceLookup({ instanceInfo, uuid }: Node): Lookup {
  return (key) => {
    const text = Object.hasOwn(instanceInfo, key) ? instanceInfo[key] : undefined;
    const where = `instance_info.${key} of node ${uuid}`;
    if (text === undefined || text === null || text === '') return undefined;
    if (typeof text === 'string') return { text, where };
    throw invalidParameter(`The ${where} is no text.`, { hint: `Set ${key} to a text, or remove it.` });
  };
}

async function imageLookup(images: Images, task: Task, source: Said | undefined): Promise<Lookup> {
  if (source === undefined) return () => undefined;
  const reference = parseImageReference(source.text, source.where);
  if (reference.kind !== 'glance') return () => undefined;
  const { properties } = await images.describe(reference, task);
  return (key) => {
    const text = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return text === undefined || text === '' ? undefined : { text, where: `property ${key} of image ${reference.id}` };
  };
}

/**
 * What is named, where the node may have it: told before a deployment begins.
 * @param only the kind that it may be. Who publishes an image is not who uses it: its properties do not send the conductor to addresses.
 */
async function usable(
  images: Images,
  task: Task,
  said: Said | undefined,
  only?: ImageReference['kind'],
): Promise<ImageReference | null> {
  if (said === undefined) return null;
  const { text, where } = said;
  const reference = parseImageReference(text, where);
  if (only !== undefined && reference.kind !== only) {
    throw invalidParameter(`The ${where} names no image of Glance.`, {
      hint: 'Set it to the id of an image in Glance; or set instance_info.kernel and instance_info.ramdisk, which may be URLs.',
    });
  }
  try {
    await images.describe(reference, task);
  } catch (error) {
    if (!isIronbarkError(error, 'INVALID_PARAMETER')) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw invalidParameter(`The ${where} cannot be used. ${error.message}`, { ...hint, cause: error });
  }
  return reference;
}

/** Of ext, XFS and btrfs; `ABCD-1234` of FAT; 16 digits of NTFS; a date with dashes of ISO 9660. */
const uuidForm = /^[0-9A-Fa-f](?:-?[0-9A-Fa-f]){3,35}$/;
/** Longer ones than those of any file system that is a root, and nothing that a command line or a script reads otherwise. */
const labelForm = /^[A-Za-z0-9._-]{1,36}$/;

function rootOf(uuid: Said | undefined, label: Said | undefined): string | undefined {
  if (uuid !== undefined) {
    return `UUID=${checked(uuid, uuidForm, 'Give the UUID that blkid shows for the root file system: hex digits and dashes.')}`;
  }
  if (label === undefined) return undefined;
  return `LABEL=${checked(label, labelForm, 'Give the root file system a label of up to 36 letters, digits, ".", "_" and "-".')}`;
}

function checked({ text, where }: Said, form: RegExp, hint: string): string {
  if (form.test(text)) return text;
  throw invalidParameter(`The ${where} is ${JSON.stringify(text)}, which cannot be a kernel parameter.`, { hint });
}

function initramfsTypeOf(said: Said | undefined): InitramfsType | null {
  if (said === undefined) return null;
  const type = initramfsTypes.find((each) => each === said.text);
  if (type !== undefined) return type;
  throw invalidParameter(`The ${said.where} is ${JSON.stringify(said.text)}, which is not known.`, {
    hint: `Set it to ${initramfsTypes.join(' or ')}.`,
  });
}

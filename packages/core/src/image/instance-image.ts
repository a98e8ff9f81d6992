import type { ImageReference } from './image-reference.ts';

/** What builds the initramfs of an image, and so which kernel parameters it reads. */
export const initramfsTypes = ['dracut', 'initramfs-tools'] as const;
export type InitramfsType = (typeof initramfsTypes)[number];

/**
 * What is known of the system that an instance asks for, from its `instance_info` and the properties of its image. A null is something
 * that nobody said.
 */
export interface InstanceImage {
  readonly kernel: ImageReference | null;
  readonly ramdisk: ImageReference | null;
  /** A whole medium to boot: an ISO image. */
  readonly bootIso: ImageReference | null;
  /** Value of the kernel parameter `root`: `UUID=…` or `LABEL=…`. */
  readonly root: string | null;
  readonly initramfsType: InitramfsType | null;
}

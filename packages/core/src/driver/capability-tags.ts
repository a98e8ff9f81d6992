/**
 * Tags by which an interface tells its neighbours what it can do; plugins may add their own.
 * - `…_volume_boot`: a boot interface boots machines from volumes of this kind.
 * - `ramdisk_boot`, `iso_boot`: it serves a kernel with its ramdisk, an ISO image.
 * - `kernel_from_image`: it cannot read the boot loader of a volume, so it serves kernel and ramdisk of the instance's image.
 * - `uefi_only`: it boots no machine in legacy BIOS mode.
 * - `ramdisk_deploy`: a deploy interface whose machines run from a ramdisk or an ISO image.
 * - `image_volumes`: a storage interface whose volumes are made from images, so that `instance_info.image_source` may describe a volume.
 */
export type CapabilityTag =
  | 'iscsi_volume_boot'
  | 'fibre_channel_volume_boot'
  | 'nfs_volume_boot'
  | 'iscsi_volume_deploy'
  | 'fibre_channel_volume_deploy'
  | 'ipxe_boot'
  | 'pxe_boot'
  | 'ramdisk_boot'
  | 'iso_boot'
  | 'kernel_from_image'
  | 'uefi_only'
  | 'ramdisk_deploy'
  | 'image_volumes'
  | (string & {});

interface Tagged {
  readonly capabilities?: readonly CapabilityTag[];
}

/** Whether an interface declares the tag; false when it declares no capabilities at all. */
export function checkCapability(driverInterface: Tagged | undefined, tag: CapabilityTag): boolean {
  return driverInterface?.capabilities?.includes(tag) ?? false;
}

/** Whether all interfaces declare the tag: the pieces of one feature fit together only then. */
export function checkCompatibility(interfaces: readonly (Tagged | undefined)[], tag: CapabilityTag): boolean {
  return interfaces.length > 0 && interfaces.every((one) => checkCapability(one, tag));
}

/** Tags by which an interface tells its neighbours what it can do; plugins may add their own. */
export type CapabilityTag =
  | 'iscsi_volume_boot'
  | 'fibre_channel_volume_boot'
  | 'nfs_volume_boot'
  | 'iscsi_volume_deploy'
  | 'fibre_channel_volume_deploy'
  | 'ipxe_boot'
  | 'pxe_boot'
  | 'ramdisk_boot'
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

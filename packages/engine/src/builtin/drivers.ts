import {
  bootSituationOf,
  chooseBoot,
  invalidParameter,
  isImageOfVolume,
  type DeployInterface,
  type InterfaceTypes,
  type NetworkInterface,
  type StorageInterface,
  type Task,
  type VendorInterface,
} from '@ironbark/core';

/** Storage of nodes without network volumes. */
const noopStorage: StorageInterface = {
  validate: async () => {},
  attach: async () => [],
  detach: async () => {},
  shouldWriteImage: () => true,
  plan: async () => ({ calls: [], volumes: [], warnings: [] }),
};

/** Networks that are set up elsewhere. */
const noopNetwork: NetworkInterface = {
  validate: async () => {},
  configureInstanceNetworks: async () => {},
  removeInstanceNetworks: async () => {},
};

const noVendor: VendorInterface = { methods: {}, validate: async () => {} };

/** For machines whose system is on the volume that they boot from: there is nothing to write. */
const volumeDeploy: DeployInterface = {
  async validate(task) {
    if (!chooseBoot(bootSituationOf(task)).writesImage) return;
    const [reason, hint] = whyItWrites(task);
    throw invalidParameter(
      `Node ${task.node.uuid} cannot be deployed by the deploy interface volume, which writes no image: ${reason}.`,
      { hint },
    );
  },
  deploy: async () => {},
  cleanUp: async () => {},
};

/** Why an image would have to be written, and what to change. */
function whyItWrites(task: Task): readonly [reason: string, hint: string] {
  const { node, driver } = task;
  if (!('image_source' in node.instanceInfo)) {
    return [
      'it has no boot volume',
      'Create a volume target with boot index 0 and choose a storage interface other than noop, set instance_info.nfs_root, or choose a deploy interface that writes images.',
    ];
  }
  // The boot interface would take it for the image that the volume was made from, but the storage interface knows of none.
  if (isImageOfVolume(task)) {
    return [
      `instance_info.image_source asks for an image, because ${driver.names.storage} volumes have no image that it could describe`,
      `Use the storage interface cinder: openstack baremetal node set --storage-interface cinder ${node.uuid}; or let the volume's own boot loader start: set the boot interface ipxe and remove image_source.`,
    ];
  }
  return [
    'instance_info.image_source asks for an image',
    `Remove it with: openstack baremetal node unset --instance-info image_source ${node.uuid}; or choose a deploy interface that writes images.`,
  ];
}

/** For machines that run from a ramdisk or an ISO image, which they load at every start. */
const ramdiskDeploy: DeployInterface = {
  capabilities: ['ramdisk_deploy'],
  validate: async () => {},
  deploy: async () => {},
  cleanUp: async () => {},
};

/** Interfaces that come with the conductor, by driver id. They are enabled unless the configuration says otherwise. */
export const builtinDrivers = {
  'storage:noop': noopStorage,
  'network:noop': noopNetwork,
  'vendor:no-vendor': noVendor,
  'deploy:volume': volumeDeploy,
  'deploy:ramdisk': ramdiskDeploy,
} as const satisfies Readonly<Record<string, InterfaceTypes[keyof InterfaceTypes]>>;

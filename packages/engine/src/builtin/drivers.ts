import {
  bootSituationOf,
  chooseBoot,
  invalidParameter,
  type DeployInterface,
  type InterfaceTypes,
  type NetworkInterface,
  type StorageInterface,
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
    const { node } = task;
    const hint =
      'image_source' in node.instanceInfo
        ? 'Remove it with: openstack baremetal node unset --instance-info image_source <node>; or choose a deploy interface that writes images.'
        : 'Create a volume target with boot index 0 and choose a storage interface other than noop, set instance_info.nfs_root, or choose a deploy interface that writes images.';
    const reason =
      'image_source' in node.instanceInfo ? 'instance_info.image_source asks for an image' : 'it has no boot volume';
    throw invalidParameter(
      `Node ${node.uuid} cannot be deployed by the deploy interface volume, which writes no image: ${reason}.`,
      { hint },
    );
  },
  deploy: async () => {},
  cleanUp: async () => {},
};

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

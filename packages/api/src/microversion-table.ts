/**
 * Which API version brought what: the second number of `1.NN`.
 * What is not listed here has been there since 1.1.
 */
export const versionRange = { min: 1, max: 80 } as const;

/** Version that brought each node field. Older versions neither show it nor accept it. */
export const nodeFieldVersions: Readonly<Record<string, number>> = {
  driver_internal_info: 3,
  name: 5,
  inspection_finished_at: 6,
  inspection_started_at: 6,
  clean_step: 7,
  raid_config: 12,
  target_raid_config: 12,
  states: 14,
  network_interface: 20,
  resource_class: 21,
  portgroups: 24,
  boot_interface: 31,
  console_interface: 31,
  deploy_interface: 31,
  inspect_interface: 31,
  management_interface: 31,
  power_interface: 31,
  raid_interface: 31,
  vendor_interface: 31,
  volume: 32,
  storage_interface: 33,
  traits: 37,
  rescue_interface: 38,
  bios_interface: 40,
  fault: 42,
  deploy_step: 44,
  conductor_group: 46,
  automated_clean: 47,
  protected: 48,
  protected_reason: 48,
  conductor: 49,
  owner: 50,
  description: 51,
  allocation_uuid: 52,
  retired: 61,
  retired_reason: 61,
  lessee: 65,
  network_data: 66,
  boot_mode: 75,
  secure_boot: 75,
};

export const portFieldVersions: Readonly<Record<string, number>> = {
  internal_info: 18,
  local_link_connection: 19,
  pxe_enabled: 19,
  portgroup_uuid: 24,
  physical_network: 34,
  is_smartnic: 53,
};

/** Version that brought each filter of the node list. */
export const nodeFilterVersions: Readonly<Record<string, number>> = {
  fields: 8,
  provision_state: 9,
  driver: 16,
  resource_class: 21,
  fault: 42,
  conductor_group: 46,
  conductor: 49,
  owner: 50,
  project: 50,
  description_contains: 51,
  retired: 61,
  lessee: 65,
};

/** Version that brought each target of `PUT states/provision`. */
export const provisionTargetVersions: Readonly<Record<string, number>> = {
  manage: 4,
  provide: 4,
  inspect: 6,
  abort: 13,
  clean: 15,
  adopt: 17,
  rescue: 38,
  unrescue: 38,
  deploy: 73,
  undeploy: 73,
  unhold: 85,
  service: 87,
};

/** Version that brought each field of the agent's heartbeat. */
export const heartbeatFieldVersions: Readonly<Record<string, number>> = {
  agent_version: 36,
  agent_token: 62,
  agent_verify_ca: 68,
  agent_status: 72,
  agent_status_message: 72,
};

/** Version that brought each interface kind to the driver resource, which shows interfaces since 1.30. */
export const driverInterfaceVersions: Readonly<Record<string, number>> = { storage: 33, rescue: 38, bios: 40 };

/** Everything else, named for what it allows. */
export const introduced = {
  availableState: 2,
  logicalNames: 5,
  fieldsQuery: 8,
  anyLogicalName: 10,
  driverPropertyLinks: 14,
  raidConfig: 12,
  ramdiskEndpoints: 22,
  portgroups: 23,
  portgroupsOfNode: 24,
  removeChassisUuid: 25,
  softPower: 27,
  vifs: 28,
  injectNmi: 29,
  dynamicDrivers: 30,
  volumes: 32,
  rebuildConfigdrive: 35,
  traits: 37,
  inspectWaitState: 39,
  abortInspection: 41,
  detailQuery: 43,
  resetInterfaces: 45,
  conductors: 49,
  allocations: 52,
  configdriveObject: 56,
  configdriveVendorData: 59,
  deploySteps: 69,
  disableRamdisk: 70,
  bootModeInStates: 75,
  setBootMode: 76,
  driverFields: 77,
  nodeHistory: 78,
} as const;

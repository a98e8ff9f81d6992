import { MASK, type Info, type Node, type ProvisionState } from '@ironbark/core';
import type { Identity } from '../auth/authenticator.ts';
import { links } from '../links.ts';
import { introduced, nodeFieldVersions } from '../microversion-table.ts';
import { hiddenFields } from '../microversion.ts';
import { reachesAllNodes } from '../ownership.ts';
import { absentInterfaces } from './constants.ts';
import { pick, type Selectable, type Wire } from './selection.ts';

/** What a client has to be told to see nodes: addresses in its own terms, its version, and who it is. */
export interface Viewer {
  readonly base: string;
  readonly minor: number;
  readonly identity: Identity;
}

const hidden = hiddenFields(nodeFieldVersions);
const nothing: Info = {};

/**
 * A node as clients see it, in the order of the Bare Metal service.
 * @param fields those to show. Default: all, and the links to what belongs to the node.
 */
export function renderNode(node: Node, viewer: Viewer, fields?: readonly string[]): Wire {
  const wire = renderFields(node, viewer.base, viewer.minor);
  if (!reachesAllNodes(viewer.identity) && node.owner !== viewer.identity.project) concealFromLessee(wire);
  if (fields === undefined) addResourceLinks(wire, node.uuid, viewer.base);
  for (const field of hidden(viewer.minor)) wire[field] = undefined;
  return fields === undefined ? wire : pick(wire, fields);
}

/** One literal, so that all nodes have one hidden class: lists of thousands are made of this. */
function renderFields(node: Node, base: string, minor: number): Wire {
  const { interfaces } = node;
  return {
    uuid: node.uuid,
    created_at: node.createdAt,
    updated_at: node.updatedAt,
    automated_clean: node.automatedClean,
    bios_interface: absentInterfaces.bios,
    boot_interface: interfaces.boot,
    boot_mode: node.bootMode,
    clean_step: nothing,
    conductor_group: node.conductorGroup,
    console_enabled: false,
    console_interface: absentInterfaces.console,
    deploy_interface: interfaces.deploy,
    deploy_step: nothing,
    description: node.description,
    driver: node.driver,
    driver_info: node.driverInfo,
    driver_internal_info: node.driverInternalInfo,
    extra: node.extra,
    fault: node.fault,
    inspection_finished_at: null,
    inspection_started_at: null,
    inspect_interface: absentInterfaces.inspect,
    instance_info: maskImageUrl(node.instanceInfo),
    instance_uuid: node.instanceUuid,
    last_error: node.lastError,
    lessee: node.lessee,
    maintenance: node.maintenance,
    maintenance_reason: node.maintenanceReason,
    management_interface: interfaces.management,
    name: node.name,
    network_data: node.networkData,
    network_interface: interfaces.network,
    owner: node.owner,
    power_interface: interfaces.power,
    power_state: node.powerState,
    properties: node.properties,
    protected: node.protected,
    protected_reason: node.protectedReason,
    provision_state: shownState(node.provisionState, minor),
    provision_updated_at: node.provisionUpdatedAt,
    raid_config: nothing,
    raid_interface: absentInterfaces.raid,
    rescue_interface: absentInterfaces.rescue,
    reservation: node.reservation,
    resource_class: node.resourceClass,
    retired: node.retired,
    retired_reason: node.retiredReason,
    secure_boot: node.secureBoot,
    storage_interface: interfaces.storage,
    target_power_state: node.targetPowerState,
    target_provision_state: node.targetProvisionState,
    target_raid_config: nothing,
    traits: node.traits,
    vendor_interface: interfaces.vendor,
    links: links(base, `nodes/${node.uuid}`),
    conductor: node.conductor,
    allocation_uuid: null,
    chassis_uuid: node.chassisUuid,
    ports: undefined,
    states: undefined,
    portgroups: undefined,
    volume: undefined,
  };
}

function addResourceLinks(wire: Wire, uuid: string, base: string): void {
  wire['ports'] = links(base, `nodes/${uuid}/ports`);
  wire['states'] = links(base, `nodes/${uuid}/states`);
  wire['portgroups'] = links(base, `nodes/${uuid}/portgroups`);
  wire['volume'] = links(base, `nodes/${uuid}/volume`);
}

/** States of later versions go by their older names. */
export function shownState(state: ProvisionState, minor: number): ProvisionState | null {
  if (state === 'available' && minor < introduced.availableState) return null;
  return state === 'inspect wait' && minor < introduced.inspectWaitState ? 'inspecting' : state;
}

/** The address may be a temporary URL, which is as good as a password. */
function maskImageUrl(instanceInfo: Info): Info {
  const url = instanceInfo['image_url'];
  return url === undefined || url === null || url === '' ? instanceInfo : { ...instanceInfo, image_url: MASK };
}

/** A lessee uses the machine; how the owner's conductor reaches it is not its business. */
function concealFromLessee(wire: Wire): void {
  const redacted = '** Redacted: shown to the owner of the node. **';
  wire['last_error'] = redacted;
  wire['reservation'] = redacted;
  wire['driver_info'] = { content: redacted };
  wire['driver_internal_info'] = { content: redacted };
}

const resourceLinks = ['ports', 'states', 'portgroups', 'volume', 'links'];

export const nodeResource: Selectable = {
  fields: new Set([...allFields()].filter((field) => !resourceLinks.includes(field))),
  summary: ['uuid', 'instance_uuid', 'maintenance', 'power_state', 'provision_state', 'name'],
  versions: nodeFieldVersions,
};

function allFields(): readonly string[] {
  return Object.keys(renderFields({ interfaces: {}, instanceInfo: {} } as Node, '', 1));
}

const stateFields = [
  'console_enabled',
  'last_error',
  'power_state',
  'provision_state',
  'target_power_state',
  'target_provision_state',
  'provision_updated_at',
  'raid_config',
  'target_raid_config',
  'boot_mode',
  'secure_boot',
] as const;

/** What `GET states` shows. */
export function renderStates(node: Node, viewer: Viewer): Wire {
  const { links: _links, ...states } = pick(renderNode(node, viewer), stateFields);
  return states;
}

/** Node fields by which lists can be sorted, with the name of the record's field. */
export const nodeSortKeys: Readonly<Record<string, string>> = {
  automated_clean: 'automatedClean',
  boot_interface: 'interfaces.boot',
  boot_mode: 'bootMode',
  chassis_uuid: 'chassisUuid',
  conductor_group: 'conductorGroup',
  created_at: 'createdAt',
  deploy_interface: 'interfaces.deploy',
  description: 'description',
  driver: 'driver',
  fault: 'fault',
  instance_uuid: 'instanceUuid',
  last_error: 'lastError',
  lessee: 'lessee',
  maintenance: 'maintenance',
  maintenance_reason: 'maintenanceReason',
  management_interface: 'interfaces.management',
  name: 'name',
  network_interface: 'interfaces.network',
  owner: 'owner',
  power_interface: 'interfaces.power',
  power_state: 'powerState',
  protected: 'protected',
  protected_reason: 'protectedReason',
  provision_state: 'provisionState',
  provision_updated_at: 'provisionUpdatedAt',
  resource_class: 'resourceClass',
  retired: 'retired',
  retired_reason: 'retiredReason',
  secure_boot: 'secureBoot',
  storage_interface: 'interfaces.storage',
  target_power_state: 'targetPowerState',
  target_provision_state: 'targetProvisionState',
  updated_at: 'updatedAt',
  uuid: 'uuid',
  vendor_interface: 'interfaces.vendor',
};

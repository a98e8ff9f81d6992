import type { JsonSchema } from './json-schema.ts';

/** Response bodies, for the OpenAPI document. */

const string = { type: 'string' } as const;
const nullableString = { type: ['string', 'null'] } as const;
const time = { type: ['string', 'null'], description: 'ISO 8601 with an offset' } as const;
const boolean = { type: 'boolean' } as const;
const info = { type: 'object', description: 'free-form; credentials print as ******' } as const;
const strings = { type: 'array', items: string } as const;

export const linkList = {
  type: 'array',
  items: { type: 'object', properties: { href: string, rel: string } },
} as const satisfies JsonSchema;

export const anyObject: JsonSchema = { type: 'object' };

export const errorResponse: JsonSchema = {
  type: 'object',
  properties: {
    error_message: {
      type: 'string',
      description: 'JSON text of an object with faultcode, faultstring, debuginfo, code and, where known, hint',
    },
  },
  required: ['error_message'],
};

const record = { uuid: string, created_at: time, updated_at: time, links: linkList } as const;

export const nodeResponse: JsonSchema = {
  type: 'object',
  properties: {
    ...record,
    name: nullableString,
    driver: string,
    driver_info: info,
    driver_internal_info: info,
    instance_info: info,
    instance_uuid: nullableString,
    properties: info,
    extra: info,
    network_data: info,
    power_state: nullableString,
    target_power_state: nullableString,
    provision_state: nullableString,
    target_provision_state: nullableString,
    provision_updated_at: time,
    last_error: nullableString,
    maintenance: boolean,
    maintenance_reason: nullableString,
    fault: nullableString,
    boot_mode: nullableString,
    secure_boot: { type: ['boolean', 'null'] },
    resource_class: nullableString,
    chassis_uuid: nullableString,
    conductor_group: string,
    conductor: nullableString,
    reservation: nullableString,
    owner: nullableString,
    lessee: nullableString,
    description: nullableString,
    protected: boolean,
    protected_reason: nullableString,
    retired: boolean,
    retired_reason: nullableString,
    automated_clean: { type: ['boolean', 'null'] },
    traits: strings,
    boot_interface: string,
    deploy_interface: string,
    management_interface: string,
    network_interface: string,
    power_interface: string,
    storage_interface: string,
    vendor_interface: string,
    bios_interface: string,
    console_interface: string,
    inspect_interface: string,
    raid_interface: string,
    rescue_interface: string,
    ports: linkList,
    states: linkList,
    portgroups: linkList,
    volume: linkList,
  },
};

export const statesResponse: JsonSchema = {
  type: 'object',
  properties: {
    power_state: nullableString,
    target_power_state: nullableString,
    provision_state: nullableString,
    target_provision_state: nullableString,
    provision_updated_at: time,
    last_error: nullableString,
    console_enabled: boolean,
    boot_mode: nullableString,
    secure_boot: { type: ['boolean', 'null'] },
    raid_config: info,
    target_raid_config: info,
  },
};

export const portResponse: JsonSchema = {
  type: 'object',
  properties: {
    ...record,
    node_uuid: string,
    address: string,
    extra: info,
    internal_info: info,
    local_link_connection: info,
    physical_network: nullableString,
    portgroup_uuid: nullableString,
    pxe_enabled: boolean,
    is_smartnic: boolean,
  },
};

export const chassisResponse: JsonSchema = {
  type: 'object',
  properties: { ...record, description: nullableString, extra: info, nodes: linkList },
};

export const connectorResponse: JsonSchema = {
  type: 'object',
  properties: { ...record, node_uuid: string, type: string, connector_id: string, extra: info },
};

export const targetResponse: JsonSchema = {
  type: 'object',
  properties: {
    ...record,
    node_uuid: string,
    volume_type: string,
    boot_index: { type: 'integer' },
    volume_id: string,
    properties: info,
    extra: info,
  },
};

export const driverResponse: JsonSchema = {
  type: 'object',
  properties: { name: string, hosts: strings, type: string, links: linkList, properties: linkList },
};

export const conductorResponse: JsonSchema = {
  type: 'object',
  properties: {
    hostname: string,
    conductor_group: string,
    alive: boolean,
    drivers: strings,
    created_at: time,
    updated_at: time,
    links: linkList,
  },
};

export const operationResponse: JsonSchema = {
  type: 'object',
  properties: {
    uuid: string,
    node_uuid: string,
    verb: string,
    state: { type: 'string', enum: ['running', 'waiting', 'compensating', 'succeeded', 'failed', 'aborted'] },
    steps: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: string,
          state: { type: 'string', enum: ['pending', 'running', 'succeeded', 'failed', 'skipped'] },
          compensation: boolean,
          attempts: { type: 'integer' },
          started_at: time,
          finished_at: time,
          error: nullableString,
        },
      },
    },
    parameters: info,
    error: nullableString,
    created_at: time,
    finished_at: time,
    links: linkList,
  },
};

export const planResponse: JsonSchema = {
  type: 'object',
  properties: {
    node_uuid: string,
    problems: strings,
    warnings: strings,
    steps: { type: 'array', items: { type: 'object', properties: { name: string, summary: string } } },
    storage: { type: 'array', items: { type: 'object', properties: { target: string, action: string } } },
    boot_source: nullableString,
    artifacts: { type: ['object', 'null'] },
  },
};

export const stringList = strings;

/** An answer with one list, which may go on in a next page. */
export function listOf(name: string, item: JsonSchema): JsonSchema {
  return { type: 'object', properties: { [name]: { type: 'array', items: item }, next: string } };
}

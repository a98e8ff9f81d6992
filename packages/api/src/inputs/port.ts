import type { Port } from '@ironbark/core';
import type { PortChanges } from '@ironbark/engine';
import { freeObject, looseBoolean, nullableText, uuid } from '../schemas/fields.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';
import { createSchema, toBoolean, type InputFields } from './input-field.ts';

const localLink = {
  type: ['object', 'null'],
  properties: {
    port_id: { type: 'string', maxLength: 255 },
    switch_id: { type: 'string', maxLength: 255 },
    hostname: { type: 'string', maxLength: 255 },
    switch_info: { type: 'string', maxLength: 255 },
    network_type: { type: 'string', enum: ['managed', 'unmanaged'] },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

export const portInputs: InputFields<Port, PortChanges> = {
  address: {
    schema: {
      type: 'string',
      pattern: '^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$',
      description: 'a MAC address with colons',
    },
    read: (port) => port.address,
    write: (value) => ({ address: (value as string).toLowerCase() }),
  },
  extra: {
    schema: freeObject,
    read: (port) => port.extra,
    write: (value) => ({ extra: (value ?? {}) as Port['extra'] }),
  },
  is_smartnic: {
    schema: looseBoolean,
    read: (port) => port.isSmartnic,
    write: (value, name) => ({ isSmartnic: toBoolean(value, name, false) }),
  },
  local_link_connection: {
    schema: localLink,
    read: (port) => port.localLinkConnection,
    write: (value) => ({ localLinkConnection: (value ?? {}) as Port['localLinkConnection'] }),
  },
  node_uuid: {
    schema: uuid,
    read: (port) => port.nodeUuid,
    write: (value) => ({ nodeUuid: (value as string).toLowerCase() }),
  },
  physical_network: {
    schema: nullableText,
    read: (port) => port.physicalNetwork,
    write: (value) => ({ physicalNetwork: value as string | null }),
  },
  /** There are no port groups to be in. */
  portgroup_uuid: { schema: { type: 'null' }, read: () => null, write: () => ({}) },
  pxe_enabled: {
    schema: looseBoolean,
    read: (port) => port.pxeEnabled,
    write: (value, name) => ({ pxeEnabled: toBoolean(value, name, true) }),
  },
};

export const portCreateSchema = createSchema(portInputs, ['address', 'node_uuid'], { uuid });
export const portPatchFields: readonly string[] = Object.keys(portInputs);

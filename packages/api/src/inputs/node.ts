import { interfaceKinds, invalidParameter, type InfoValue, type Node } from '@ironbark/core';
import type { NodeChanges } from '@ironbark/engine';
import { freeObject, longText, looseBoolean, nullableText, nullableUuid, text, uuid } from '../schemas/fields.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';
import { absentInterfaces } from '../views/constants.ts';
import { createSchema, toBoolean, toInfo, type InputField, type InputFields } from './input-field.ts';

type NodeField = InputField<Node, NodeChanges>;

const nullable = (value: InfoValue) => value as string | null;

const driverInterfaces: [string, NodeField][] = interfaceKinds.map((kind) => [
  `${kind}_interface`,
  {
    schema: nullableText,
    read: (node) => node.interfaces[kind],
    write: (value) => ({ interfaces: { [kind]: nullable(value) } }),
  },
]);

const noInterfaces: [string, NodeField][] = Object.entries(absentInterfaces).map(([kind, only]) => [
  `${kind}_interface`,
  {
    schema: nullableText,
    read: () => only,
    write: (value) => {
      if (value === null || value === only) return {};
      throw invalidParameter(`The ${kind} interface ${JSON.stringify(value)} is not available.`, {
        hint: `Available: ${only}.`,
      });
    },
  },
]);

/** Fields of a node that clients may set, when they create it and later. */
export const nodeInputs: InputFields<Node, NodeChanges> = {
  automated_clean: {
    schema: looseBoolean,
    read: (node) => node.automatedClean,
    write: (value, name) => ({ automatedClean: toBoolean(value, name, null) }),
  },
  chassis_uuid: {
    schema: nullableUuid,
    read: (node) => node.chassisUuid,
    write: (value) => ({ chassisUuid: nullable(value)?.toLowerCase() ?? null }),
  },
  conductor_group: {
    schema: { ...nullableText, pattern: '^[\\w.-]*$', description: 'letters, digits and ._-' },
    read: (node) => node.conductorGroup,
    write: (value) => ({ conductorGroup: (nullable(value) ?? '').toLowerCase() }),
  },
  description: {
    schema: longText,
    read: (node) => node.description,
    write: (value) => ({ description: nullable(value) }),
  },
  driver: {
    schema: { ...text, minLength: 1 },
    read: (node) => node.driver,
    write: (value) => ({ driver: value as string }),
  },
  driver_info: {
    schema: freeObject,
    read: (node) => node.driverInfo,
    write: (value) => ({ driverInfo: toInfo(value) }),
  },
  extra: {
    schema: freeObject,
    read: (node) => node.extra,
    write: (value) => ({ extra: (value ?? {}) as Node['extra'] }),
  },
  instance_info: {
    schema: freeObject,
    read: (node) => node.instanceInfo,
    write: (value) => ({ instanceInfo: toInfo(value) }),
  },
  instance_uuid: {
    schema: nullableUuid,
    read: (node) => node.instanceUuid,
    write: (value) => ({ instanceUuid: nullable(value)?.toLowerCase() ?? null }),
  },
  lessee: {
    schema: nullableText,
    read: (node) => node.lessee,
    write: (value) => ({ lessee: nullable(value) }),
  },
  /** Set through a call of its own, though clients find it among the fields. */
  maintenance: { schema: looseBoolean, read: (node) => node.maintenance, write: () => ({}) },
  name: {
    schema: nullableText,
    read: (node) => node.name,
    write: (value) => ({ name: nullable(value) }),
  },
  network_data: {
    schema: freeObject,
    read: (node) => node.networkData,
    write: (value) => ({ networkData: (value ?? {}) as Node['networkData'] }),
  },
  owner: {
    schema: nullableText,
    read: (node) => node.owner,
    write: (value) => ({ owner: nullable(value) }),
  },
  properties: {
    schema: freeObject,
    read: (node) => node.properties,
    write: (value) => ({ properties: (value ?? {}) as Node['properties'] }),
  },
  protected: {
    schema: looseBoolean,
    read: (node) => node.protected,
    write: (value, name) => ({ protected: toBoolean(value, name, false) }),
  },
  protected_reason: {
    schema: longText,
    read: (node) => node.protectedReason,
    write: (value) => ({ protectedReason: nullable(value) }),
  },
  resource_class: {
    schema: { type: ['string', 'null'], maxLength: 80 },
    read: (node) => node.resourceClass,
    write: (value) => ({ resourceClass: nullable(value) }),
  },
  retired: {
    schema: looseBoolean,
    read: (node) => node.retired,
    write: (value, name) => ({ retired: toBoolean(value, name, false) }),
  },
  retired_reason: {
    schema: longText,
    read: (node) => node.retiredReason,
    write: (value) => ({ retiredReason: nullable(value) }),
  },
  ...Object.fromEntries(driverInterfaces),
  ...Object.fromEntries(noInterfaces),
};

export const nodeCreateSchema: JsonSchema = createSchema(nodeInputs, ['driver'], {
  uuid: { ...uuid, type: ['string', 'null'] },
});

/** Fields that a patch may touch. */
export const nodePatchFields: readonly string[] = Object.keys(nodeInputs).sort();

/** Fields that a member may patch on a node that its project owns or leases. */
export const memberPatchFields: readonly string[] = ['extra', 'instance_info'];

/** Fields that a service may patch beside those. */
export const servicePatchFields: readonly string[] = [...memberPatchFields, 'instance_uuid'];

/** Fields that a project cannot choose, though it owns the node: they place it among the nodes of others. */
export const systemFields: readonly string[] = ['automated_clean', 'chassis_uuid', 'conductor_group', 'owner'];

import type { VolumeConnector, VolumeTarget } from '@ironbark/core';
import type { VolumeConnectorChanges, VolumeTargetChanges } from '@ironbark/engine';
import { freeObject, integer32, text, uuid } from '../schemas/fields.ts';
import { createSchema, toInfo, type InputFields } from './input-field.ts';

export const connectorInputs: InputFields<VolumeConnector, VolumeConnectorChanges> = {
  connector_id: {
    schema: text,
    read: (connector) => connector.connectorId,
    write: (value) => ({ connectorId: value as string }),
  },
  extra: {
    schema: freeObject,
    read: (connector) => connector.extra,
    write: (value) => ({ extra: (value ?? {}) as VolumeConnector['extra'] }),
  },
  node_uuid: {
    schema: uuid,
    read: (connector) => connector.nodeUuid,
    write: (value) => ({ nodeUuid: (value as string).toLowerCase() }),
  },
  type: {
    schema: text,
    read: (connector) => connector.type,
    write: (value) => ({ type: value as string }),
  },
};

export const connectorCreateSchema = createSchema(connectorInputs, ['connector_id', 'node_uuid', 'type'], { uuid });
export const connectorPatchFields: readonly string[] = Object.keys(connectorInputs);

export const targetInputs: InputFields<VolumeTarget, VolumeTargetChanges> = {
  boot_index: {
    schema: integer32,
    read: (target) => target.bootIndex,
    write: (value) => ({ bootIndex: value as number }),
  },
  extra: {
    schema: freeObject,
    read: (target) => target.extra,
    write: (value) => ({ extra: (value ?? {}) as VolumeTarget['extra'] }),
  },
  node_uuid: {
    schema: uuid,
    read: (target) => target.nodeUuid,
    write: (value) => ({ nodeUuid: (value as string).toLowerCase() }),
  },
  properties: {
    schema: freeObject,
    read: (target) => target.properties,
    write: (value) => ({ properties: toInfo(value) }),
  },
  volume_id: {
    schema: text,
    read: (target) => target.volumeId,
    write: (value) => ({ volumeId: value as string }),
  },
  volume_type: {
    schema: text,
    read: (target) => target.volumeType,
    write: (value) => ({ volumeType: value as string }),
  },
};

export const targetCreateSchema = createSchema(targetInputs, ['boot_index', 'node_uuid', 'volume_id', 'volume_type'], {
  uuid,
});
export const targetPatchFields: readonly string[] = Object.keys(targetInputs);

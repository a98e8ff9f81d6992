import { isSecret, MASK, type Info, type VolumeConnector, type VolumeTarget } from '@ironbark/core';
import type { Identity } from '../auth/authenticator.ts';
import { links } from '../links.ts';
import { introduced } from '../microversion-table.ts';
import { hasRole } from '../policy.ts';
import type { Viewer } from './node.ts';
import { pick, type Selectable, type Wire } from './selection.ts';

export function renderConnector(connector: VolumeConnector, viewer: Viewer, fields?: readonly string[]): Wire {
  const wire: Wire = {
    uuid: connector.uuid,
    created_at: connector.createdAt,
    updated_at: connector.updatedAt,
    connector_id: connector.connectorId,
    extra: connector.extra,
    type: connector.type,
    links: links(viewer.base, `volume/connectors/${connector.uuid}`),
    node_uuid: connector.nodeUuid,
  };
  return fields === undefined ? wire : pick(wire, fields);
}

export const connectorResource: Selectable = {
  fields: new Set(['uuid', 'created_at', 'updated_at', 'connector_id', 'extra', 'type', 'node_uuid']),
  summary: ['uuid', 'connector_id', 'type', 'node_uuid'],
  versions: {},
  detailSince: introduced.volumes,
};

export const connectorSortKeys: Readonly<Record<string, string>> = {
  uuid: 'uuid',
  connector_id: 'connectorId',
  type: 'type',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

export function renderTarget(target: VolumeTarget, viewer: Viewer, fields?: readonly string[]): Wire {
  const wire: Wire = {
    uuid: target.uuid,
    created_at: target.createdAt,
    updated_at: target.updatedAt,
    boot_index: target.bootIndex,
    extra: target.extra,
    properties: showsProperties(viewer.identity) ? maskPasswords(target.properties) : redacted,
    volume_id: target.volumeId,
    volume_type: target.volumeType,
    links: links(viewer.base, `volume/targets/${target.uuid}`),
    node_uuid: target.nodeUuid,
  };
  return fields === undefined ? wire : pick(wire, fields);
}

/** Who only uses a machine learns which volumes it has, not how the storage is reached. */
function showsProperties(identity: Identity): boolean {
  return identity.system || hasRole(identity, 'service');
}

const redacted: Info = { redacted_contents: '** Redacted: shown to administrators. **' };

/** What a storage service wrote into the properties may hold passwords that no client sent. */
function maskPasswords(properties: Info): Info {
  const open = Object.keys(properties).filter((key) => /password/i.test(key) && !isSecret(properties[key]));
  return open.length === 0 ? properties : { ...properties, ...Object.fromEntries(open.map((key) => [key, MASK])) };
}

export const targetResource: Selectable = {
  fields: new Set([
    'uuid',
    'created_at',
    'updated_at',
    'boot_index',
    'extra',
    'properties',
    'volume_id',
    'volume_type',
    'node_uuid',
  ]),
  summary: ['uuid', 'boot_index', 'volume_id', 'volume_type', 'node_uuid'],
  versions: {},
  detailSince: introduced.volumes,
};

export const targetSortKeys: Readonly<Record<string, string>> = {
  uuid: 'uuid',
  boot_index: 'bootIndex',
  volume_id: 'volumeId',
  volume_type: 'volumeType',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

import type { Port } from '@ironbark/core';
import { links } from '../links.ts';
import { portFieldVersions } from '../microversion-table.ts';
import { hiddenFields } from '../microversion.ts';
import { pick, type Selectable, type Wire } from './selection.ts';

const hidden = hiddenFields(portFieldVersions);

export function renderPort(port: Port, base: string, minor: number, fields?: readonly string[]): Wire {
  const wire: Wire = {
    uuid: port.uuid,
    created_at: port.createdAt,
    updated_at: port.updatedAt,
    address: port.address,
    extra: port.extra,
    internal_info: port.internalInfo,
    is_smartnic: port.isSmartnic,
    local_link_connection: port.localLinkConnection,
    physical_network: port.physicalNetwork,
    pxe_enabled: port.pxeEnabled,
    node_uuid: port.nodeUuid,
    links: links(base, `ports/${port.uuid}`),
    portgroup_uuid: null,
  };
  for (const field of hidden(minor)) wire[field] = undefined;
  return fields === undefined ? wire : pick(wire, fields);
}

export const portResource: Selectable = {
  fields: new Set([
    'uuid',
    'created_at',
    'updated_at',
    'address',
    'extra',
    'internal_info',
    'is_smartnic',
    'local_link_connection',
    'physical_network',
    'pxe_enabled',
    'node_uuid',
    'portgroup_uuid',
  ]),
  summary: ['uuid', 'address'],
  versions: portFieldVersions,
};

export const portSortKeys: Readonly<Record<string, string>> = {
  uuid: 'uuid',
  address: 'address',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  physical_network: 'physicalNetwork',
  pxe_enabled: 'pxeEnabled',
  is_smartnic: 'isSmartnic',
};

import type { Chassis } from '@ironbark/core';
import { links } from '../links.ts';
import { pick, type Selectable, type Wire } from './selection.ts';

export function renderChassis(chassis: Chassis, base: string, fields?: readonly string[]): Wire {
  const wire: Wire = {
    uuid: chassis.uuid,
    created_at: chassis.createdAt,
    updated_at: chassis.updatedAt,
    description: chassis.description,
    extra: chassis.extra,
    links: links(base, `chassis/${chassis.uuid}`),
  };
  if (fields !== undefined) return pick(wire, fields);
  wire['nodes'] = links(base, `chassis/${chassis.uuid}/nodes`);
  return wire;
}

export const chassisResource: Selectable = {
  fields: new Set(['uuid', 'created_at', 'updated_at', 'description', 'extra']),
  summary: ['uuid', 'description'],
  versions: {},
};

export const chassisSortKeys: Readonly<Record<string, string>> = {
  uuid: 'uuid',
  description: 'description',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

import type { Conductor } from '@ironbark/store';
import { links } from '../links.ts';
import { pick, type Selectable, type Wire } from './selection.ts';

export function renderConductor(conductor: Conductor, base: string, fields?: readonly string[]): Wire {
  const wire: Wire = {
    created_at: conductor.createdAt,
    updated_at: conductor.updatedAt,
    hostname: conductor.hostname,
    conductor_group: conductor.conductorGroup,
    drivers: conductor.drivers,
    links: links(base, `conductors/${conductor.hostname}`),
    alive: conductor.alive,
  };
  return fields === undefined ? wire : pick(wire, fields);
}

export const conductorResource: Selectable = {
  fields: new Set(['created_at', 'updated_at', 'hostname', 'conductor_group', 'drivers', 'alive']),
  summary: ['hostname', 'conductor_group', 'alive'],
  versions: {},
};

import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { NodeFilter, PortFilter, VolumeFilter } from '../store.ts';

type Condition = RawBuilder<SqlBool>;

const field = (name: string) => sql`doc ->> ${sql.lit(`$.${name}`)}`;

export function nodeConditions(filter: NodeFilter): readonly Condition[] {
  const equal = (expression: RawBuilder<unknown>, value: string | undefined): Condition[] =>
    value === undefined ? [] : [sql`${expression} = ${value}`];
  const flag = (name: string, value: boolean | undefined): Condition[] =>
    value === undefined ? [] : [sql`${field(name)} = ${value ? 1 : 0}`];
  const { associated, project, descriptionContains } = filter;
  return [
    ...equal(sql`instance_uuid`, filter.instanceUuid),
    ...equal(sql`driver`, filter.driver),
    ...equal(sql`provision_state`, filter.provisionState),
    ...equal(field('resourceClass'), filter.resourceClass),
    ...equal(field('fault'), filter.fault),
    ...equal(field('owner'), filter.owner),
    ...equal(field('lessee'), filter.lessee),
    ...equal(field('conductorGroup'), filter.conductorGroup),
    ...equal(field('conductor'), filter.conductor),
    ...equal(field('chassisUuid'), filter.chassisUuid),
    ...flag('maintenance', filter.maintenance),
    ...flag('retired', filter.retired),
    ...(associated === undefined
      ? []
      : [associated ? sql<SqlBool>`instance_uuid IS NOT NULL` : sql<SqlBool>`instance_uuid IS NULL`]),
    ...(project === undefined
      ? []
      : [sql<SqlBool>`(${field('owner')} = ${project} OR ${field('lessee')} = ${project})`]),
    ...(descriptionContains === undefined
      ? []
      : [sql<SqlBool>`instr(${field('description')}, ${descriptionContains}) > 0`]),
  ];
}

export function portConditions(filter: PortFilter): readonly Condition[] {
  return [
    ...volumeConditions(filter),
    ...(filter.address === undefined ? [] : [sql<SqlBool>`address = ${filter.address}`]),
  ];
}

export function volumeConditions(filter: VolumeFilter): readonly Condition[] {
  return filter.nodeUuid === undefined ? [] : [sql<SqlBool>`node_uuid = ${filter.nodeUuid}`];
}

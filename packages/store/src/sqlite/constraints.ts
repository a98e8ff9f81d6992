import { IronbarkError } from '@ironbark/core';

/** What a violated unique constraint means, by the columns that SQLite names. */
const duplicates: Readonly<Record<string, (row: Record<string, unknown>) => string>> = {
  'nodes.uuid': (row) => `A node with UUID ${text(row['uuid'])} already exists.`,
  'nodes.name': (row) => `A node with name ${text(row['name'])} already exists.`,
  'nodes.instance_uuid': (row) =>
    `Instance ${text(row['instanceUuid'])} is already associated with a node, it cannot be associated with this one.`,
  'chassis.uuid': (row) => `A chassis with UUID ${text(row['uuid'])} already exists.`,
  'ports.uuid': (row) => `A port with UUID ${text(row['uuid'])} already exists.`,
  'ports.address': (row) => `A port with MAC address ${text(row['address'])} already exists.`,
  'volume_connectors.uuid': (row) => `A volume connector with UUID ${text(row['uuid'])} already exists.`,
  'volume_connectors.type, volume_connectors.connector_id': (row) =>
    `A volume connector with type ${text(row['type'] ?? 'of this kind')} and connector ID ${text(row['connectorId'] ?? 'like this')} already exists.`,
  'volume_targets.uuid': (row) => `A volume target with UUID ${text(row['uuid'])} already exists.`,
  'volume_targets.node_uuid, volume_targets.boot_index': (row) =>
    `A volume target with boot index ${text(row['bootIndex'])} for the same node already exists.`,
};

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** DUPLICATE with a sentence for a unique constraint, NOT_FOUND for a missing node; anything else as it came. */
export function translateConstraint(error: unknown, row: object): unknown {
  if (!(error instanceof Error)) return error;
  const [, columns = ''] = /UNIQUE constraint failed: (.+)$/.exec(error.message) ?? [];
  const describe = duplicates[columns];
  if (describe !== undefined)
    return new IronbarkError('DUPLICATE', describe(row as Record<string, unknown>), { cause: error });
  if (error.message.includes('FOREIGN KEY constraint failed')) {
    return new IronbarkError('NOT_FOUND', 'The node of this record could not be found.', { cause: error });
  }
  return error;
}

/**
 * Schema changes in their order; the number of applied ones is SQLite's `user_version`. Never edit one that was released.
 *
 * A record is one JSON document. What is searched, sorted or unique is a column generated from it, so that nothing is stored twice.
 */
export const migrations: readonly { readonly name: string; readonly statements: readonly string[] }[] = [
  {
    name: 'first schema',
    statements: [
      'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
      `CREATE TABLE nodes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        doc TEXT NOT NULL,
        uuid TEXT GENERATED ALWAYS AS (doc ->> '$.uuid') STORED NOT NULL UNIQUE,
        name TEXT GENERATED ALWAYS AS (doc ->> '$.name') VIRTUAL,
        instance_uuid TEXT GENERATED ALWAYS AS (doc ->> '$.instanceUuid') VIRTUAL,
        driver TEXT GENERATED ALWAYS AS (doc ->> '$.driver') VIRTUAL,
        provision_state TEXT GENERATED ALWAYS AS (doc ->> '$.provisionState') VIRTUAL
      )`,
      'CREATE UNIQUE INDEX nodes_name ON nodes (name)',
      'CREATE UNIQUE INDEX nodes_instance_uuid ON nodes (instance_uuid)',
      'CREATE INDEX nodes_driver ON nodes (driver)',
      'CREATE INDEX nodes_provision_state ON nodes (provision_state)',
      `CREATE TABLE chassis (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        doc TEXT NOT NULL,
        uuid TEXT GENERATED ALWAYS AS (doc ->> '$.uuid') STORED NOT NULL UNIQUE
      )`,
      childTable('ports', "address TEXT GENERATED ALWAYS AS (doc ->> '$.address') VIRTUAL"),
      'CREATE INDEX ports_node ON ports (node_uuid)',
      'CREATE UNIQUE INDEX ports_address ON ports (address)',
      childTable(
        'volume_connectors',
        "type TEXT GENERATED ALWAYS AS (doc ->> '$.type') VIRTUAL, connector_id TEXT GENERATED ALWAYS AS (doc ->> '$.connectorId') VIRTUAL",
      ),
      'CREATE INDEX volume_connectors_node ON volume_connectors (node_uuid)',
      'CREATE UNIQUE INDEX volume_connectors_id ON volume_connectors (type, connector_id)',
      childTable('volume_targets', "boot_index INTEGER GENERATED ALWAYS AS (doc ->> '$.bootIndex') VIRTUAL"),
      'CREATE UNIQUE INDEX volume_targets_boot_index ON volume_targets (node_uuid, boot_index)',
      childTable('operations', "state TEXT GENERATED ALWAYS AS (doc ->> '$.state') VIRTUAL"),
      'CREATE INDEX operations_node ON operations (node_uuid)',
      "CREATE INDEX operations_open ON operations (id) WHERE state IN ('running', 'waiting', 'compensating')",
      childTable('history', "created_at TEXT GENERATED ALWAYS AS (doc ->> '$.createdAt') VIRTUAL"),
      'CREATE INDEX history_node ON history (node_uuid)',
      `CREATE TABLE attachments (
        node_uuid TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
        boot_index INTEGER NOT NULL,
        doc TEXT NOT NULL,
        PRIMARY KEY (node_uuid, boot_index)
      ) WITHOUT ROWID`,
      `CREATE TABLE journal (
        node_uuid TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        doc TEXT NOT NULL,
        PRIMARY KEY (node_uuid, scope, key)
      ) WITHOUT ROWID`,
      `CREATE TABLE locks (
        node_uuid TEXT PRIMARY KEY REFERENCES nodes (uuid) ON DELETE CASCADE,
        owner TEXT,
        fence INTEGER NOT NULL,
        expires_at TEXT NOT NULL
      ) WITHOUT ROWID`,
      `CREATE TABLE conductors (
        hostname TEXT PRIMARY KEY,
        conductor_group TEXT NOT NULL,
        drivers TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
      ) WITHOUT ROWID`,
    ],
  },
];

/** Tables whose records are JSON documents. */
export type DocumentTableName =
  | 'nodes'
  | 'chassis'
  | 'ports'
  | 'volume_connectors'
  | 'volume_targets'
  | 'operations'
  | 'history';

function childTable(name: string, columns: string): string {
  return `CREATE TABLE ${name} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    doc TEXT NOT NULL,
    uuid TEXT GENERATED ALWAYS AS (doc ->> '$.uuid') STORED NOT NULL UNIQUE,
    node_uuid TEXT GENERATED ALWAYS AS (doc ->> '$.nodeUuid') STORED NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
    ${columns}
  )`;
}

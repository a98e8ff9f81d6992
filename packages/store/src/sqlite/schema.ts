import type { Generated, GeneratedAlways } from 'kysely';

/** Tables as kysely sees them; see migrations.ts for what the columns mean. */
export interface Schema {
  meta: { key: string; value: string };
  nodes: DocumentRow & {
    name: GeneratedAlways<string | null>;
    instance_uuid: GeneratedAlways<string | null>;
    driver: GeneratedAlways<string>;
    provision_state: GeneratedAlways<string>;
  };
  chassis: DocumentRow;
  ports: ChildRow & { address: GeneratedAlways<string> };
  volume_connectors: ChildRow & { type: GeneratedAlways<string>; connector_id: GeneratedAlways<string> };
  volume_targets: ChildRow & { boot_index: GeneratedAlways<number> };
  operations: ChildRow & { state: GeneratedAlways<string> };
  history: ChildRow & { created_at: GeneratedAlways<string> };
  attachments: { node_uuid: string; boot_index: number; doc: string };
  journal: { node_uuid: string; scope: string; key: string; doc: string };
  locks: { node_uuid: string; owner: string | null; fence: number; expires_at: string };
  conductors: { hostname: string; conductor_group: string; drivers: string; created_at: string; updated_at: string };
}

export interface DocumentRow {
  id: Generated<number>;
  doc: string;
  uuid: GeneratedAlways<string>;
}

export interface ChildRow extends DocumentRow {
  node_uuid: GeneratedAlways<string>;
}

export type DocumentTableName =
  | 'nodes'
  | 'chassis'
  | 'ports'
  | 'volume_connectors'
  | 'volume_targets'
  | 'operations'
  | 'history';

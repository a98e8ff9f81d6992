import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { IronbarkError, type Chassis, type Port, type VolumeConnector, type VolumeTarget } from '@ironbark/core';
import { createKeyFile, readKeyFile } from '../key-file.ts';
import { createSealer, type Sealer } from '../sealing.ts';
import type { ChassisFilter, PortFilter, Store, VolumeFilter } from '../store.ts';
import { SqliteAttachmentTable } from './attachment-table.ts';
import { SqliteConductorTable } from './conductor-table.ts';
import { lockDatabase, migrate, openConnection, refuseNewer, refuseOlder, schemaVersion } from './connection.ts';
import { Database } from './database.ts';
import { DocumentTable } from './document-table.ts';
import { portConditions, volumeConditions } from './filters.ts';
import { SqliteHistoryTable } from './history-table.ts';
import { SqliteJournalTable } from './journal-table.ts';
import { SqliteLockTable } from './lock-table.ts';
import { migrations } from './migrations.ts';
import { SqliteNodeTable } from './node-table.ts';
import { SqliteOperationTable } from './operation-table.ts';

export interface SqliteStoreOptions {
  readonly file: string;
  /** File with the key for secrets at rest; made at the first start, together with the database. */
  readonly keyFile: string;
  /**
   * - `conductor`, the default: the one process that serves the database; makes it and brings its schema up to date.
   * - `beside`: works on an existing database for a short time, whether a conductor serves it or not. It must take the lock of a node, under
   *   an owner of its own, before it writes about the node.
   * - `reader`: only looks.
   */
  readonly role?: 'conductor' | 'beside' | 'reader';
}

/**
 * Opens the embedded database.
 * @throws DATABASE_IN_USE, DATABASE_TOO_OLD, DATABASE_TOO_NEW, SECRET_KEY_INVALID.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, keyFile, role = 'conductor' } = options;
  if (role !== 'conductor' && !existsSync(file)) {
    throw new IronbarkError('CONFIG_INVALID', `There is no database ${file}.`, {
      hint: 'Start the conductor once; it makes the database.',
    });
  }
  const connection = openConnection(file, role === 'reader');
  let lock: DatabaseSync | undefined;
  try {
    if (role === 'conductor') {
      lock = lockDatabase(file);
      migrate(connection, file);
    } else {
      const version = schemaVersion(connection);
      refuseNewer(version, file);
      if (role === 'beside') refuseOlder(version, file);
    }
    const db = new Database(connection);
    const close = async () => {
      await db.close();
      lock?.close();
    };
    return createStore(db, openSealer(connection, keyFile, role === 'conductor'), close);
  } catch (error) {
    lock?.close();
    connection.close();
    throw error;
  }
}

function createStore(db: Database, sealer: Sealer, close: () => Promise<void>): Store {
  return {
    nodes: new SqliteNodeTable(db, sealer),
    ports: new DocumentTable<Port, PortFilter>(db, sealer, { name: 'ports', label: 'Port', where: portConditions }),
    chassis: new DocumentTable<Chassis, ChassisFilter>(db, sealer, {
      name: 'chassis',
      label: 'Chassis',
      where: () => [],
    }),
    volumeConnectors: new DocumentTable<VolumeConnector, VolumeFilter>(db, sealer, {
      name: 'volume_connectors',
      label: 'Volume connector',
      where: volumeConditions,
    }),
    volumeTargets: new DocumentTable<VolumeTarget, VolumeFilter>(db, sealer, {
      name: 'volume_targets',
      label: 'Volume target',
      where: volumeConditions,
    }),
    attachments: new SqliteAttachmentTable(db, sealer),
    operations: new SqliteOperationTable(db, sealer),
    locks: new SqliteLockTable(db),
    journal: new SqliteJournalTable(db, sealer),
    history: new SqliteHistoryTable(db, sealer),
    conductors: new SqliteConductorTable(db),
    transaction(work) {
      if (db.isTransaction) return work(this);
      return db.transaction((transaction) => work(createStore(transaction, sealer, close)));
    },
    close,
  };
}

/** The key belongs to the database: its id is stored there at the first start, and a different or missing key is refused. */
function openSealer(connection: DatabaseSync, keyFile: string, mayCreate: boolean): Sealer {
  const known = connection.prepare("SELECT value FROM meta WHERE key = 'secret_key_id'").get()?.['value'];
  const key = readKeyFile(keyFile) ?? (known === undefined && mayCreate ? createKeyFile(keyFile) : undefined);
  if (key === undefined) {
    throw new IronbarkError('SECRET_KEY_INVALID', `The key file ${keyFile} is missing.`, {
      hint: 'Restore it from a backup: without it the secrets in the database cannot be read.',
    });
  }
  const sealer = createSealer(key);
  if (known === undefined && mayCreate)
    connection.prepare("INSERT INTO meta (key, value) VALUES ('secret_key_id', ?)").run(sealer.keyId);
  if (known !== undefined && known !== sealer.keyId) {
    throw new IronbarkError(
      'SECRET_KEY_INVALID',
      `The key file ${keyFile} is not the one that the database was made with.`,
      {
        hint: 'Restore the key file that belongs to the database.',
      },
    );
  }
  return sealer;
}

export interface DatabaseStatus {
  readonly exists: boolean;
  readonly version: number;
  readonly latest: number;
  /** Names of the migrations that are still to be applied. */
  readonly pending: readonly string[];
}

/** Tells what {@link migrateDatabase} would do; changes nothing. */
export async function databaseStatus(file: string): Promise<DatabaseStatus> {
  const latest = migrations.length;
  const exists = existsSync(file);
  const version = exists ? withConnection(file, true, schemaVersion) : 0;
  return { exists, version, latest, pending: migrations.slice(version).map(({ name }) => name) };
}

/** @returns names of the applied migrations. @throws DATABASE_IN_USE, DATABASE_TOO_NEW. */
export async function migrateDatabase(file: string): Promise<readonly string[]> {
  return withConnection(file, false, (connection) => {
    const lock = lockDatabase(file);
    try {
      return migrate(connection, file);
    } finally {
      lock.close();
    }
  });
}

function withConnection<Result>(file: string, readOnly: boolean, use: (connection: DatabaseSync) => Result): Result {
  const connection = openConnection(file, readOnly);
  try {
    return use(connection);
  } finally {
    connection.close();
  }
}

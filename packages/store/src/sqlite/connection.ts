import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { IronbarkError } from '@ironbark/core';
import { migrations } from './migrations.ts';

/**
 * Opens the file in WAL mode. A commit is on disk before the write returns (`synchronous=FULL`), unless it is one that need not be (see
 * `Durability`): the journal is what keeps attachments from leaking after a power cut.
 */
export function openConnection(file: string, readOnly: boolean): DatabaseSync {
  if (readOnly) return new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const connection = new DatabaseSync(file, { timeout: 5000 });
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  return connection;
}

export function schemaVersion(connection: DatabaseSync): number {
  return Number(connection.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

/**
 * Applies what is missing, each migration in a transaction of its own.
 * @returns names of the applied migrations.
 * @throws DATABASE_TOO_NEW when the file was written by a newer program.
 */
export function migrate(connection: DatabaseSync, file: string): readonly string[] {
  const version = schemaVersion(connection);
  refuseNewer(version, file);
  return migrations.slice(version).map(({ name, statements }, index) => {
    connection.exec('BEGIN IMMEDIATE');
    try {
      for (const statement of statements) connection.exec(statement);
      connection.exec(`PRAGMA user_version = ${version + index + 1}`);
      connection.exec('COMMIT');
    } catch (error) {
      connection.exec('ROLLBACK');
      throw error;
    }
    return name;
  });
}

export function refuseNewer(version: number, file: string): void {
  if (version <= migrations.length) return;
  throw new IronbarkError(
    'DATABASE_TOO_NEW',
    `The database ${file} has schema ${version}; this program knows schemas up to ${migrations.length}.`,
    {
      hint: 'Run the version of Ironbark that wrote it, or a newer one.',
    },
  );
}

/** For a process that may write and must not migrate: a conductor of another version may be serving the file. */
export function refuseOlder(version: number, file: string): void {
  if (version >= migrations.length) return;
  throw new IronbarkError(
    'DATABASE_TOO_OLD',
    `The database ${file} has schema ${version}; this program needs schema ${migrations.length}.`,
    {
      hint: 'Start the conductor of this version, or run `ironbark db migrate` while none runs.',
    },
  );
}

/**
 * Keeps a second conductor off the file. The lock is an SQLite lock on a file beside it, which the system drops when the process
 * ends, however it ends.
 * @throws DATABASE_IN_USE.
 */
export function lockDatabase(file: string): DatabaseSync {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    throw new IronbarkError('DATABASE_IN_USE', `The database ${file} is in use by another conductor process.`, {
      hint: 'Stop the other process, or give this site a database of its own (database.file).',
      cause,
    });
  }
}

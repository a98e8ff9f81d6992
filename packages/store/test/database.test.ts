import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { databaseStatus, migrateDatabase, openSqliteStore } from '../src/index.ts';
import { node, temporaryDirectory, temporaryStore, uuid } from './records.ts';

describe('the database file', () => {
  it('is refused when a newer program wrote it', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'ironbark.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 999');
    database.close();
    await expect(openSqliteStore({ file, keyFile: join(directory, 'secret.key') })).rejects.toMatchObject({
      code: 'DATABASE_TOO_NEW',
    });
    await expect(migrateDatabase(file)).rejects.toMatchObject({ code: 'DATABASE_TOO_NEW' });
  });

  it('serves one conductor at a time, and the next one after it', async () => {
    const directory = temporaryDirectory();
    const options = { file: join(directory, 'ironbark.db'), keyFile: join(directory, 'secret.key') };
    const first = await openSqliteStore(options);
    await expect(openSqliteStore(options)).rejects.toMatchObject({ code: 'DATABASE_IN_USE' });
    await first.close();
    await (await openSqliteStore(options)).close();
  });

  it('can be looked at while a conductor serves it', async () => {
    const directory = temporaryDirectory();
    const store = await temporaryStore(directory);
    await store.nodes.insert(node(1));
    const reader = await openSqliteStore({
      file: join(directory, 'ironbark.db'),
      keyFile: join(directory, 'secret.key'),
      role: 'reader',
    });
    expect((await reader.nodes.find(uuid(1)))?.name).toBe('node-1');
    await expect(reader.nodes.insert(node(2))).rejects.toThrow(/readonly/);
    await reader.close();
  });

  it('tells what a migration would do before it is done and nothing afterwards', async () => {
    const file = join(temporaryDirectory(), 'ironbark.db');
    const before = await databaseStatus(file);
    expect(before).toMatchObject({ exists: false, version: 0 });
    expect(before.pending.length).toBe(before.latest);
    expect(await migrateDatabase(file)).toEqual(before.pending);
    expect(await databaseStatus(file)).toMatchObject({ exists: true, version: before.latest, pending: [] });
    expect(await migrateDatabase(file)).toEqual([]);
  });
});

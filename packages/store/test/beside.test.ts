import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../src/index.ts';
import { count } from './counting.ts';
import { node, temporaryDirectory, temporaryStore, uuid } from './records.ts';

const optionsOf = (directory: string) => ({
  file: join(directory, 'ironbark.db'),
  keyFile: join(directory, 'secret.key'),
  role: 'beside' as const,
});

/** Counts in another thread, with a connection of its own: to SQLite it is as good as another process. */
function countElsewhere(workerData: object): { readonly begun: Promise<void>; readonly ended: Promise<void> } {
  const worker = new Worker(new URL('counting-worker.ts', import.meta.url), {
    workerData,
    execArgv: ['--conditions=@ironbark/source'],
  });
  const begun = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve()).once('error', reject);
  });
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('error', reject).once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
  });
  return { begun, ended };
}

describe('a process beside the conductor', () => {
  it('writes while the conductor writes: no transaction fails, and none is lost', async () => {
    const directory = temporaryDirectory();
    const store = await temporaryStore(directory);
    await store.nodes.insert(node(1));
    const times = 200;
    const other = countElsewhere({ options: optionsOf(directory), nodeUuid: uuid(1), times });
    await other.begun;
    await count(store, uuid(1), times);
    await other.ended;
    expect((await store.nodes.find(uuid(1)))?.extra).toEqual({ count: 2 * times });
  });

  it('takes a node lock that the conductor then sees, and the other way round', async () => {
    const directory = temporaryDirectory();
    const store = await temporaryStore(directory);
    await store.nodes.insert(node(1));
    await store.nodes.insert(node(2));
    const beside = await openSqliteStore(optionsOf(directory));
    const lock = await beside.locks.acquire(uuid(1), 'conductor-1/reconcile', 60_000);
    await store.locks.acquire(uuid(2), 'conductor-1', 60_000);
    expect(await store.locks.acquire(uuid(1), 'conductor-1', 60_000, true)).toBeUndefined();
    expect((await store.nodes.find(uuid(1)))?.reservation).toBe('conductor-1/reconcile');
    expect(await beside.locks.acquire(uuid(2), 'conductor-1/reconcile', 60_000)).toBeUndefined();
    if (lock !== undefined) await beside.locks.release(lock);
    await beside.close();
    expect(await store.locks.acquire(uuid(1), 'conductor-1', 60_000)).toBeDefined();
  });

  it('does not keep a conductor from starting', async () => {
    const directory = temporaryDirectory();
    await (await temporaryStore(directory)).close();
    const beside = await openSqliteStore(optionsOf(directory));
    const store = await temporaryStore(directory);
    await store.nodes.insert(node(1));
    expect((await beside.nodes.find(uuid(1)))?.name).toBe('node-1');
    await beside.close();
  });

  it('makes no database', async () => {
    await expect(openSqliteStore(optionsOf(temporaryDirectory()))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('leaves a database of another version alone', async () => {
    const directory = temporaryDirectory();
    const { file } = optionsOf(directory);
    new DatabaseSync(file).close();
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE meta (key TEXT)');
    await expect(openSqliteStore(optionsOf(directory))).rejects.toMatchObject({ code: 'DATABASE_TOO_OLD' });
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 0 });
    database.close();
  });
});

import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { run } from '../child-process.ts';
import { freePort, loopback } from '../loopback.ts';
import { configureCinder, prepareCinder } from './cinder.ts';
import { configureGlance, prepareGlance } from './glance.ts';
import { configureKeystone, prepareKeystone } from './keystone.ts';
import { seedKeystone } from './seed.ts';

/** Stand for the addresses of the services in the catalogue of a prepared database. */
const placeholders = {
  keystone: 'http://keystone.invalid',
  cinder: 'http://cinder.invalid',
  glance: 'http://glance.invalid',
};

/** Files of this folder that say what the databases hold. */
const sources = ['databases.ts', 'details.ts', 'keystone.ts', 'cinder.ts', 'glance.ts', 'seed.ts'];

const keystoneState = ['keystone.db', 'fernet', 'credential'];

export interface Endpoints {
  /** Addresses without versions. */
  readonly keystone: string;
  readonly cinder: string;
  /** Null: the catalogue has no image service. */
  readonly glance: string | null;
}

/** Puts databases with users and a catalogue, and Keystone's keys, into the directories of the services. */
export async function installDatabases(
  cacheDirectory: string,
  directories: { readonly keystone: string; readonly cinder: string; readonly glance: string },
  endpoints: Endpoints,
  signal?: AbortSignal,
): Promise<void> {
  const prepared = await preparedDatabases(cacheDirectory, signal);
  for (const name of keystoneState) {
    await cp(join(prepared, name), join(directories.keystone, name), { recursive: true });
  }
  await cp(join(prepared, 'cinder.db'), join(directories.cinder, 'cinder.db'));
  if (endpoints.glance !== null) await cp(join(prepared, 'glance.db'), join(directories.glance, 'glance.db'));
  using database = new DatabaseSync(join(directories.keystone, 'keystone.db'));
  const update = database.prepare('UPDATE endpoint SET url = replace(url, ?, ?)');
  update.run(placeholders.keystone, endpoints.keystone);
  update.run(placeholders.cinder, endpoints.cinder);
  if (endpoints.glance !== null) update.run(placeholders.glance, endpoints.glance);
  else database.prepare('DELETE FROM endpoint WHERE url = ?').run(placeholders.glance);
}

/** Returns a folder with databases that were made once for these versions of the services, and of these sources. */
async function preparedDatabases(cacheDirectory: string, signal?: AbortSignal): Promise<string> {
  const directory = join(cacheDirectory, `openstack-${await fingerprint()}`);
  if (await exists(directory)) return directory;
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(cacheDirectory, '.preparing-'));
  try {
    await Promise.all([keystoneDatabase, cinderDatabase, glanceDatabase].map((make) => make(work, signal)));
    await rename(work, directory).catch(async (error: unknown) => {
      // Another process finished first, and its databases are as good.
      if (!(await exists(directory))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return directory;
}

async function keystoneDatabase(directory: string, signal?: AbortSignal): Promise<void> {
  const port = await freePort();
  const keystone = await configureKeystone({ directory, port });
  await prepareKeystone(directory, placeholders.keystone, signal);
  useWriteAheadLog(join(directory, 'keystone.db'));
  try {
    await keystone.start(signal);
    await seedKeystone(`http://${loopback}:${port}/v3`, placeholders);
  } finally {
    await keystone.kill();
  }
  // Moves what is in the log into the database file: only that is copied.
  useWriteAheadLog(join(directory, 'keystone.db'));
}

async function cinderDatabase(directory: string, signal?: AbortSignal): Promise<void> {
  await configureCinder({ directory, port: 0, keystoneUrl: '', portal: { host: '', port: 0 }, iscsiEnvironment: {} });
  await prepareCinder(directory, signal);
  useWriteAheadLog(join(directory, 'cinder.db'));
}

async function glanceDatabase(directory: string, signal?: AbortSignal): Promise<void> {
  await configureGlance({ directory, port: 0, keystoneUrl: '' });
  await prepareGlance(directory, signal);
  useWriteAheadLog(join(directory, 'glance.db'));
}

/** Without it a reader in one thread makes writers in others fail with "database is locked". */
function useWriteAheadLog(path: string): void {
  using database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)');
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await run('dpkg-query', ['--show', 'python3-keystone', 'python3-cinder', 'python3-glance']));
  for (const name of sources) hash.update(await readFile(join(import.meta.dirname, name)));
  return hash.digest('hex').slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

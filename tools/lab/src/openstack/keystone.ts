import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { loopback } from '../loopback.ts';
import { region, users } from './details.ts';
import { formatIni } from './ini.ts';
import { OpenStackService, runPython } from './service.ts';

const logName = 'keystone.log';

export interface KeystoneOptions {
  /** Holds the configuration, the database, the keys and the log. */
  readonly directory: string;
  readonly port: number;
  /** How long a token is good. Default: an hour. */
  readonly tokenExpirationSeconds?: number;
}

/** Writes the configuration of Keystone. Its database and keys have to be in the directory. */
export async function configureKeystone(options: KeystoneOptions): Promise<OpenStackService> {
  const { directory, port, tokenExpirationSeconds = 3600 } = options;
  const configFile = join(directory, 'keystone.conf');
  const logFile = join(directory, logName);
  const url = `http://${loopback}:${port}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(
    configFile,
    formatIni({
      DEFAULT: { log_file: logFile, public_endpoint: url },
      database: { connection: `sqlite:///${directory}/keystone.db`, sqlite_synchronous: false },
      token: { provider: 'fernet', expiration: tokenExpirationSeconds },
      fernet_tokens: { key_repository: join(directory, 'fernet') },
      fernet_receipts: { key_repository: join(directory, 'fernet') },
      credential: { key_repository: join(directory, 'credential') },
      // bcrypt at its cheapest: with the default each login would take a quarter of a second of the processor.
      identity: { password_hash_rounds: 4 },
    }),
  );
  return new OpenStackService({
    name: 'Keystone',
    args: ['/usr/bin/keystone-wsgi-public', '--host', loopback, '--port', String(port)],
    env: { OS_KEYSTONE_CONFIG_FILES: configFile },
    logFile,
    probeUrl: `${url}/v3`,
  });
}

/** Makes the database with the administrator in it, and the keys. Needs the configuration. */
export async function prepareKeystone(directory: string, endpoint: string, signal?: AbortSignal): Promise<void> {
  const manage = async (...args: readonly string[]): Promise<void> =>
    runPython(['/usr/bin/keystone-manage', '--config-file', join(directory, 'keystone.conf'), ...args], {
      signal,
      logFile: join(directory, logName),
      env: { OS_BOOTSTRAP_PASSWORD: users.admin.password },
    });
  const { username } = userInfo();
  const owner = ['--keystone-user', username, '--keystone-group', String(process.getgid?.() ?? 0)];
  await manage('db_sync');
  await manage('fernet_setup', ...owner);
  await manage('credential_setup', ...owner);
  const urls = ['admin', 'internal', 'public'].flatMap((each) => [`--bootstrap-${each}-url`, `${endpoint}/v3`]);
  await manage('bootstrap', '--bootstrap-region-id', region, ...urls);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loopback } from '../loopback.ts';
import { glanceUser, region } from './details.ts';
import { formatIni } from './ini.ts';
import { OpenStackService, runPython } from './service.ts';

const pasteFile = join(import.meta.dirname, 'python/glance-api-paste.ini');
const logName = 'glance.log';
/** The programs are in the packages glance-api, which starts a daemon, and glance-common, which wants a database server. */
const apiProgram = 'from glance.cmd.api import main; main()';
const manageProgram = 'from glance.cmd.manage import main; main()';
/** Folders of the stores below the directory of Glance; it does not start without one for staging and one for tasks. */
const stores = { file: 'images', os_glance_staging_store: 'staging', os_glance_tasks_store: 'tasks' };

export interface GlanceOptions {
  /** Holds the configuration, the database, the images and the log. */
  readonly directory: string;
  readonly port: number;
  /** Of Keystone, without the version. */
  readonly keystoneUrl: string;
}

/** Writes the configuration of Glance. Its database has to be in the directory. */
export async function configureGlance(options: GlanceOptions): Promise<OpenStackService> {
  const { directory, port } = options;
  const url = `http://${loopback}:${port}`;
  const configFile = join(directory, 'glance-api.conf');
  const logFile = join(directory, logName);
  for (const folder of Object.values(stores)) {
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
  }
  await writeFile(configFile, formatIni(configuration(options, url, logFile)));
  return new OpenStackService({
    name: 'Glance',
    args: ['-c', apiProgram, '--config-file', configFile],
    env: {},
    logFile,
    probeUrl: `${url}/healthcheck`,
  });
}

/** Makes the database. Needs the configuration. */
export async function prepareGlance(directory: string, signal?: AbortSignal): Promise<void> {
  const args = ['-c', manageProgram, '--config-file', join(directory, 'glance-api.conf'), 'db_sync'];
  await runPython(args, { signal, logFile: join(directory, logName) });
}

function configuration(
  { directory, port, keystoneUrl }: GlanceOptions,
  url: string,
  logFile: string,
): Parameters<typeof formatIni>[0] {
  const folders = Object.entries(stores).map(([store, folder]) => {
    return [store, { filesystem_store_datadir: join(directory, folder) }] as const;
  });
  return {
    DEFAULT: {
      log_file: logFile,
      bind_host: loopback,
      bind_port: port,
      // No further process.
      workers: 0,
      public_endpoint: url,
      enabled_backends: 'file:file',
      // Without the brackets every creation of an image fails.
      enabled_import_methods: '[glance-direct]',
    },
    glance_store: { default_backend: 'file' },
    ...Object.fromEntries(folders),
    database: { connection: `sqlite:///${directory}/glance.db`, sqlite_synchronous: false },
    oslo_concurrency: { lock_path: join(directory, 'locks') },
    paste_deploy: { flavor: 'keystone', config_file: pasteFile },
    keystone_authtoken: {
      www_authenticate_uri: keystoneUrl,
      auth_url: keystoneUrl,
      auth_type: 'password',
      username: glanceUser.username,
      password: glanceUser.password,
      project_name: glanceUser.project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
      region_name: region,
      service_token_roles: 'service',
      service_token_roles_required: true,
    },
  };
}

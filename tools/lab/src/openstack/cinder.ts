import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IscsiPortal } from '../iscsi-server.ts';
import { loopback } from '../loopback.ts';
import { cinderUser, region } from './details.ts';
import { formatIni } from './ini.ts';
import { OpenStackService, runPython } from './service.ts';

const pythonPath = join(import.meta.dirname, 'python');
const logName = 'cinder.log';
/** The program is in the package cinder-common, which expects a system with a host name. */
const manageProgram = 'from cinder.cmd.manage import main; main()';
/** Query parameters of lists that Cinder accepts; without the file it knows none. */
const resourceFilters = {
  volume: ['name', 'status', 'metadata', 'bootable', 'created_at', 'updated_at'],
  attachment: ['volume_id', 'status', 'instance_id', 'attach_status'],
  message: ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'],
};

/** Names of the backends. */
export const backends = ['iscsi', 'fibre_channel'] as const;

export interface CinderOptions {
  /** Holds the configuration, the database, the volumes and the log. */
  readonly directory: string;
  readonly port: number;
  /** Of Keystone, without the version. */
  readonly keystoneUrl: string;
  /** Of the iSCSI server, as machines of the lab reach it. */
  readonly portal: IscsiPortal;
  /** Environment in which tgtadm reaches the iSCSI server. */
  readonly iscsiEnvironment: Readonly<Record<string, string>>;
}

/** Folder of the volumes below the directory of Cinder. */
export const volumeFolder = 'volumes';

/** Writes the configuration of Cinder. Its database has to be in the directory. */
export async function configureCinder(options: CinderOptions): Promise<OpenStackService> {
  const { directory, port, iscsiEnvironment } = options;
  const url = `http://${loopback}:${port}`;
  const configFile = join(directory, 'cinder.conf');
  const logFile = join(directory, logName);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'resource_filters.json'), JSON.stringify(resourceFilters));
  await writeFile(configFile, formatIni(configuration(options, url, logFile)));
  return new OpenStackService({
    name: 'Cinder',
    args: ['-m', 'ironbark_lab', '--config-file', configFile],
    env: { PYTHONPATH: pythonPath, ...iscsiEnvironment },
    logFile,
    probeUrl: `${url}/healthcheck`,
  });
}

/** Makes the database. Needs the configuration. */
export async function prepareCinder(directory: string, signal?: AbortSignal): Promise<void> {
  const args = ['-c', manageProgram, '--config-file', join(directory, 'cinder.conf'), 'db', 'sync'];
  await runPython(args, { signal, logFile: join(directory, logName) });
}

function configuration(
  { directory, port, keystoneUrl, portal }: CinderOptions,
  url: string,
  logFile: string,
): Parameters<typeof formatIni>[0] {
  const backend = { volume_directory: join(directory, volumeFolder) };
  return {
    DEFAULT: {
      log_file: logFile,
      host: 'lab',
      my_ip: loopback,
      state_path: directory,
      transport_url: 'fake://',
      auth_strategy: 'keystone',
      api_paste_config: join(pythonPath, 'api-paste.ini'),
      resource_query_filters_file: join(directory, 'resource_filters.json'),
      osapi_volume_listen: loopback,
      osapi_volume_listen_port: port,
      osapi_volume_workers: 1,
      public_endpoint: url,
      enabled_backends: backends.join(','),
      default_volume_type: 'iscsi',
      quota_volumes: -1,
      quota_gigabytes: -1,
      periodic_fuzzy_delay: 0,
    },
    database: { connection: `sqlite:///${directory}/cinder.db`, sqlite_synchronous: false },
    oslo_concurrency: { lock_path: join(directory, 'locks') },
    coordination: { backend_url: `file://${directory}/coordination` },
    keystone_authtoken: {
      www_authenticate_uri: keystoneUrl,
      auth_url: keystoneUrl,
      auth_type: 'password',
      username: cinderUser.username,
      password: cinderUser.password,
      project_name: cinderUser.project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
      region_name: region,
      service_token_roles: 'service',
      service_token_roles_required: true,
    },
    iscsi: {
      ...backend,
      volume_driver: 'ironbark_lab.volumes.IscsiVolumes',
      volume_backend_name: 'iscsi',
      target_ip_address: portal.host,
      target_port: portal.port,
      target_prefix: 'iqn.2010-10.org.openstack:',
    },
    fibre_channel: {
      ...backend,
      volume_driver: 'ironbark_lab.volumes.FibreChannelVolumes',
      volume_backend_name: 'fibre_channel',
    },
  };
}

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IscsiServer } from '../iscsi-server.ts';
import { LabError } from '../lab-error.ts';
import { defaultCacheDirectory } from '../lab.ts';
import { freePort, hostSeenByGuest, loopback } from '../loopback.ts';
import type { LabNetwork } from '../network/lab-network.ts';
import { missingPackages } from '../packages.ts';
import { OpenStackAccess } from './access.ts';
import { backends, configureCinder, volumeFolder } from './cinder.ts';
import { installDatabases } from './databases.ts';
import { region, users, type OpenStackDetails } from './details.ts';
import { configureGlance } from './glance.ts';
import { configureKeystone } from './keystone.ts';
import type { OpenStackService } from './service.ts';
import { createVolumeTypes } from './volume-types.ts';

export interface OpenStackOptions {
  /** Where the services make a folder of their own, which is removed in the end. Default: the system's folder for temporary files. */
  readonly directory?: string;
  /** Where prepared databases are kept. Default: ironbark/lab in $XDG_CACHE_HOME or ~/.cache. */
  readonly cacheDirectory?: string;
  /** Whether Glance runs as well. Default: false. */
  readonly image?: boolean;
  /** Where the iSCSI portal of the volumes is. Default: on loopback, and volumes name the address at which a user network shows it. */
  readonly network?: LabNetwork;
  /** How long a token is good. Default: an hour. */
  readonly tokenExpirationSeconds?: number;
  /** Ends the start when it is aborted; nothing is left over then. */
  readonly signal?: AbortSignal;
}

interface Services {
  readonly keystone: OpenStackService;
  readonly cinder: OpenStackService;
  readonly glance: OpenStackService | undefined;
}

/** Running services that belong to this process. */
export class OpenStack extends OpenStackAccess {
  /** Holds configurations, logs and volumes. */
  readonly directory: string;
  readonly keystone: OpenStackService;
  readonly cinder: OpenStackService;
  /** Undefined when it was not asked for. */
  readonly glance: OpenStackService | undefined;
  readonly #running: AsyncDisposableStack;

  constructor(directory: string, details: OpenStackDetails, services: Services, running: AsyncDisposableStack) {
    super(details);
    this.directory = directory;
    this.keystone = services.keystone;
    this.cinder = services.cinder;
    this.glance = services.glance;
    this.#running = running;
  }

  /** Ends all processes and removes all files; may be called more than once. */
  async stop(): Promise<void> {
    await this.#running.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts Keystone, Cinder with an iSCSI server for its volumes, and Glance when it is asked for, on free ports of loopback. They end with this process, however it ends.
 * @throws LAB_PACKAGE_MISSING; LAB_COMMAND_FAILED, LAB_PROCESS_ENDED or LAB_TIMEOUT with the end of the log of the service that failed.
 */
export async function startOpenStack(options: OpenStackOptions = {}): Promise<OpenStack> {
  const { signal, network, cacheDirectory = defaultCacheDirectory() } = options;
  await assertInstalled();
  await using started = new AsyncDisposableStack();
  const directory = await temporaryDirectory(options.directory ?? tmpdir(), started);
  const iscsi = await IscsiServer.start({
    directory,
    ...(network === undefined ? {} : { host: network.address }),
    ...(signal === undefined ? {} : { signal }),
  });
  started.defer(async () => iscsi.stop());
  const directories = {
    keystone: join(directory, 'keystone'),
    cinder: join(directory, 'cinder'),
    glance: join(directory, 'glance'),
  };
  const ports = { keystone: await freePort(), cinder: await freePort(), glance: await freePort() };
  const endpoints = {
    keystone: `http://${loopback}:${ports.keystone}`,
    cinder: `http://${loopback}:${ports.cinder}`,
    glance: options.image === true ? `http://${loopback}:${ports.glance}` : null,
  };
  const keystoneUrl = endpoints.keystone;
  const { tokenExpirationSeconds } = options;
  const keystone = await configureKeystone({
    directory: directories.keystone,
    port: ports.keystone,
    ...(tokenExpirationSeconds === undefined ? {} : { tokenExpirationSeconds }),
  });
  const cinder = await configureCinder({
    directory: directories.cinder,
    port: ports.cinder,
    keystoneUrl,
    portal: { host: network?.address ?? hostSeenByGuest, port: iscsi.portal.port },
    iscsiEnvironment: iscsi.environment,
  });
  const glance =
    endpoints.glance === null
      ? undefined
      : await configureGlance({ directory: directories.glance, port: ports.glance, keystoneUrl });
  await installDatabases(cacheDirectory, directories, endpoints, signal);
  const services = [keystone, cinder, ...(glance === undefined ? [] : [glance])];
  for (const service of services) started.defer(async () => service.kill());
  await Promise.all(services.map((service) => service.start(signal)));
  const details: OpenStackDetails = {
    authUrl: `${endpoints.keystone}/v3`,
    region,
    users,
    blockStorageUrl: `${endpoints.cinder}/v3`,
    imageUrl: endpoints.glance,
    portal: iscsi.portal,
    iscsiEnvironment: iscsi.environment,
    volumeDirectory: join(directories.cinder, volumeFolder),
  };
  await createVolumeTypes(details, backends, signal);
  return new OpenStack(directory, details, { keystone, cinder, glance }, started.move());
}

/** Makes a folder that is removed when the stack is disposed of, or else when the process exits. */
async function temporaryDirectory(parent: string, stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(parent, 'ironbark-openstack-'));
  const onExit = (): void => rmSync(directory, { recursive: true, force: true });
  process.once('exit', onExit);
  stack.defer(async () => {
    await rm(directory, { recursive: true, force: true });
    process.removeListener('exit', onExit);
  });
  return directory;
}

async function assertInstalled(): Promise<void> {
  const missing = (await missingPackages(['live'])).map(({ name }) => name).join(' ');
  if (missing === '') return;
  throw new LabError('LAB_PACKAGE_MISSING', `These Debian packages are missing: ${missing}.`, {
    hint: `As root: apt-get install --no-install-recommends ${missing}`,
  });
}

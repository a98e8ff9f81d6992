import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, startService, type Service } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { freePort, loopback } from '../loopback.ts';
import type { LabNetwork } from '../network/lab-network.ts';
import { poll } from '../wait.ts';
import { startRpcbind } from './rpcbind.ts';

const startTimeoutMs = 20_000;
const nfsPort = 2049;

export interface NfsServerOptions {
  /** Where the server keeps its state and its log, in a folder of its own. */
  readonly directory: string;
  /** What is exported, to everybody, for reading; root stays root. */
  readonly path: string;
  /** Path under which clients mount it, for example "/roots/guest". */
  readonly exportPath: string;
  /**
   * Listens there on the port of NFS, and speaks NFSv3 as well, with rpcbind. Default: NFSv4 alone, on a free port of loopback,
   * which guests on qemu's user network reach too.
   */
  readonly network?: LabNetwork;
}

/** nfs-ganesha, an NFS server in user space. Needs root: it opens files by their handles. */
export class NfsServer {
  readonly host: string;
  readonly port: number;
  readonly #running: AsyncDisposableStack;

  private constructor(running: AsyncDisposableStack, address: { readonly host: string; readonly port: number }) {
    this.#running = running;
    this.host = address.host;
    this.port = address.port;
  }

  /** @throws LAB_PROCESS_ENDED, LAB_TIMEOUT, LAB_INVALID when there is nothing to export, or NFSv3 is wanted in the host's network. */
  static async start(options: NfsServerOptions): Promise<NfsServer> {
    const { network, path } = options;
    // The server itself would start without the export.
    if (!existsSync(path)) throw new LabError('LAB_INVALID', `${path} does not exist, so it cannot be exported.`);
    await using started = new AsyncDisposableStack();
    const directory = await mkdtemp(join(options.directory, 'nfs-'));
    started.defer(async () => rm(directory, { recursive: true, force: true }));
    started.defer(await exposeMount(path));
    if (network !== undefined) endAlong(started, await startRpcbind());
    const address =
      network === undefined ? { host: loopback, port: await freePort() } : { host: network.address, port: nfsPort };
    const configuration = join(directory, 'ganesha.conf');
    const logPath = join(directory, 'ganesha.log');
    await writeFile(configuration, configurationText(options, directory, address));
    const files = ['-f', configuration, '-L', logPath, '-p', join(directory, 'ganesha.pid')];
    const ganesha = startService('ganesha.nfsd', ['-F', ...files]);
    endAlong(started, ganesha);
    await isServing(ganesha, logPath);
    return new NfsServer(started.move(), address);
  }

  async stop(): Promise<void> {
    await this.#running.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function isServing(ganesha: Service, logPath: string): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    const running = ganesha.isRunning();
    const log = await readFile(logPath, 'utf8').catch(() => '');
    if (log.includes('NFS SERVER INITIALIZED')) return true;
    if (running) return undefined;
    const problems = log.split('\n').filter((line) => /:(?:CRIT|FATAL) :/.test(line));
    throw new LabError('LAB_PROCESS_ENDED', `The NFS server ended at once.\n${problems.slice(-5).join('\n')}`);
  };
  await poll(ask, { what: 'the NFS server to serve', timeoutMs: startTimeoutMs });
}

/** ganesha hangs when it is asked to end. */
function endAlong(stack: AsyncDisposableStack, service: Service): void {
  stack.defer(async () => service.stop('SIGKILL'));
}

/**
 * ganesha exports only what is on a file system that it finds in the table of mounts. In a chroot whose root is no mount point that of
 * the root is not there, so the directory is mounted once more at its own place. @returns what takes that back.
 */
async function exposeMount(path: string): Promise<() => Promise<void>> {
  const known = await run('findmnt', ['--target', path]).then(
    () => true,
    () => false,
  );
  if (known) return async () => undefined;
  await run('mount', ['--bind', path, path]);
  return async () => void (await run('umount', [path]));
}

function configurationText(
  { path, exportPath, network }: NfsServerOptions,
  directory: string,
  { host, port }: { readonly host: string; readonly port: number },
): string {
  const protocols = network === undefined ? '4' : '3, 4';
  return `
NFS_CORE_PARAM {
  Bind_addr = ${host};
  NFS_Port = ${port};
  Protocols = ${protocols};
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = ${network !== undefined};
  # NFSv3 clients name an export like those of NFSv4 do.
  mount_path_pseudo = true;
}
NFSV4 {
  Graceless = true;
  Lease_Lifetime = 5;
  Grace_Period = 1;
  RecoveryBackend = fs;
  RecoveryRoot = ${directory};
  Only_Numeric_Owners = true;
}
EXPORT {
  Export_Id = 1;
  Path = ${path};
  Pseudo = ${exportPath};
  Access_Type = RO;
  Squash = No_Root_Squash;
  SecType = sys;
  Protocols = ${protocols};
  Transports = TCP;
  FSAL { Name = VFS; }
}
LOG { Default_Log_Level = EVENT; }
`;
}

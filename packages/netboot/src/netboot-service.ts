import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { defineService, IronbarkError, type ServiceHost } from '@ironbark/core';
import type { DhcpProvider } from './dhcp/dhcp-provider.ts';
import { openDhcp } from './dhcp/open-dhcp.ts';
import { directoryModeFor, makeDirectory } from './files/atomic-write.ts';
import { BootFileTree } from './files/boot-file-tree.ts';
import { HttpFileServer, type ListenAddress } from './http/http-file-server.ts';
import { netbootConfig, type NetbootOptions } from './netboot-options.ts';

/** The tree of boot files and how machines reach it; shared by all boot drivers of a conductor. */
export interface Netboot {
  readonly tree: BootFileTree;
  /** Null: somebody else configures the DHCP server. */
  readonly dhcp: DhcpProvider | null;
  /** URL under which machines reach the HTTP root, without a slash at its end; null when nobody said. */
  readonly httpUrl: string | null;
  /** Where the built-in server listens; null without one. */
  readonly httpAddress: ListenAddress | null;
  close(): Promise<void>;
}

/** @throws CONFIG_INVALID when a root cannot be made or the address is taken. */
export async function openNetboot({
  config,
  stateDirectory,
  log,
  dryRun,
}: ServiceHost<NetbootOptions>): Promise<Netboot> {
  const roots = {
    http: config.httpRoot ?? join(stateDirectory, 'http'),
    tftp: config.tftpRoot ?? join(stateDirectory, 'tftp'),
  };
  checkApart(resolve(roots.http), resolve(roots.tftp));
  const tree = new BootFileTree({ roots, fileModes: config.fileModes });
  let server: HttpFileServer | undefined;
  if (dryRun !== true) {
    for (const name of ['http', 'tftp'] as const) await makeRoot(name, roots[name], config.fileModes[name]);
    checkApart(await realpath(roots.http), await realpath(roots.tftp));
    server = config.listen && (await HttpFileServer.start({ ...config.listen, root: roots.http, log }));
  }
  const dhcp = await openDhcp(config.dhcp, { tftpRoot: roots.tftp, dryRun: dryRun === true });
  const httpUrl = config.httpUrl ?? urlOf(server?.address ?? config.listen) ?? null;
  log.info({ roots, httpUrl, httpAddress: server?.address }, 'The tree of boot files is open.');
  return { tree, dhcp, httpUrl, httpAddress: server?.address ?? null, close: async () => server?.close() };
}

/** A node has a directory of the same name in both roots, and what one of them is to lose would be taken from the other. */
function checkApart(http: string, tftp: string): void {
  if (http !== tftp) return;
  throw new IronbarkError(
    'CONFIG_INVALID',
    `The boot files for HTTP and those for TFTP would be in one directory, ${http}.`,
    {
      hint: 'Set settings.netboot.http_root and settings.netboot.tftp_root to different directories.',
    },
  );
}

async function makeRoot(name: string, path: string, fileMode: number): Promise<void> {
  try {
    await makeDirectory(path, directoryModeFor(fileMode));
  } catch (error) {
    throw new IronbarkError('CONFIG_INVALID', `Cannot make the directory ${path}: ${(error as Error).message}.`, {
      cause: error,
      hint: `Make it writable for the conductor, or set settings.netboot.${name}_root to another directory.`,
    });
  }
}

/** A wildcard address is no address that a machine can be told. */
function urlOf(address: ListenAddress | undefined): string | undefined {
  if (address === undefined || ['0.0.0.0', '::'].includes(address.host)) return undefined;
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** The service `netboot`; its settings are the section of that name. */
export const netbootService = defineService<Netboot, NetbootOptions>({
  name: 'netboot',
  config: netbootConfig,
  create: openNetboot,
  dispose: (netboot) => netboot.close(),
});

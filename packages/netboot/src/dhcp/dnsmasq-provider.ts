import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { IronbarkError, type DhcpBoot } from '@ironbark/core';
import { hasErrorCode, makeDirectory, syncDirectories, writeAtomically } from '../files/atomic-write.ts';
import type { DnsmasqOptions } from './dhcp-options.ts';
import type { DhcpPort, DhcpProvider } from './dhcp-provider.ts';
import { checkCard, ownerLine, renderCard, renderGone, renderStaticConfiguration } from './dnsmasq-format.ts';

/** No secrets are in these files, and dnsmasq reads them as a user of its own. */
const fileMode = 0o644;
const directoryMode = 0o755;
/** By then dnsmasq has read a file, or is not running and never will read it. */
const readAfterMs = 60_000;
/** What dnsmasq.conf takes without quotes. */
const plainPath = /^(?:\/[A-Za-z0-9._@+-]+)+$/;

/**
 * Files for a dnsmasq on this host: two per network card, in directories that it watches (inotify), so that it is neither restarted nor
 * signalled. It reads new and changed files and does not notice that one is gone: what is removed is first replaced. IPv4 only.
 */
export class DnsmasqProvider implements DhcpProvider {
  readonly #options: DnsmasqOptions;
  readonly #tftpRoot: string;
  readonly #hosts: string;
  readonly #cardOptions: string;

  constructor(options: DnsmasqOptions, tftpRoot: string) {
    this.#options = options;
    this.#tftpRoot = tftpRoot;
    this.#hosts = join(options.directory, 'hosts');
    this.#cardOptions = join(options.directory, 'options');
  }

  /** Makes the directories and writes what is the same for all machines. @throws CONFIG_INVALID. */
  async prepare(): Promise<void> {
    const { directory, servesTftp } = this.#options;
    if (servesTftp && !plainPath.test(this.#tftpRoot)) {
      throw new IronbarkError('CONFIG_INVALID', `dnsmasq cannot serve ${JSON.stringify(this.#tftpRoot)}.`, {
        hint: 'Set settings.netboot.tftp_root to a path of letters, digits, ".", "_" and "-", or dhcp.serve_tftp to false.',
      });
    }
    const content = renderStaticConfiguration({
      hostsDirectory: this.#hosts,
      optionsDirectory: this.#cardOptions,
      tftpRoot: servesTftp ? this.#tftpRoot : null,
    });
    try {
      for (const path of [this.#hosts, this.#cardOptions]) await makeDirectory(path, directoryMode);
      await writeAtomically(join(directory, 'ironbark.conf'), content, fileMode);
      await this.#forgetGone();
    } catch (error) {
      throw new IronbarkError('CONFIG_INVALID', `Cannot write the files for dnsmasq: ${(error as Error).message}.`, {
        cause: error,
        hint: `Make ${directory} writable for the conductor, or set settings.netboot.dhcp.directory to another directory.`,
      });
    }
  }

  async apply(nodeUuid: string, entries: readonly DhcpBoot[]): Promise<void> {
    const cards = entries.map((entry) => [entry, renderCard(nodeUuid, entry, this.#options.tftpServer)] as const);
    await this.#attempt('write', async () => {
      for (const [entry, { host, options }] of cards) {
        // The options first: a card with a tag that nothing is said of would get no boot file.
        await writeAtomically(join(this.#cardOptions, fileName(entry)), options, fileMode);
        await writeAtomically(join(this.#hosts, fileName(entry)), host, fileMode);
      }
      await syncDirectories([this.#hosts, this.#cardOptions]);
    });
  }

  async remove(nodeUuid: string, ports: readonly DhcpPort[]): Promise<void> {
    for (const port of ports) checkCard(port);
    await this.#attempt('remove', async () => {
      for (const port of ports) {
        const owner = ownerLine(nodeUuid, port);
        const host = join(this.#hosts, fileName(port));
        if (await belongsTo(host, owner)) await writeAtomically(host, renderGone(port.macAddress), fileMode);
        const options = join(this.#cardOptions, fileName(port));
        if (await belongsTo(options, owner)) await unlink(options);
      }
      await syncDirectories([this.#hosts, this.#cardOptions]);
    });
  }

  /** Removes the files that only said that a card is gone. */
  async #forgetGone(): Promise<void> {
    for (const entry of await readdir(this.#hosts, { withFileTypes: true })) {
      const address = entry.name.replaceAll('-', ':');
      const path = join(this.#hosts, entry.name);
      if (!entry.isFile() || (await readFile(path, 'utf8')) !== renderGone(address)) continue;
      if (Date.now() - (await stat(path)).mtimeMs > readAfterMs) await unlink(path);
    }
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { directory } = this.#options;
      throw new IronbarkError(
        'NETBOOT_FILE_FAILED',
        `Could not ${what} files for dnsmasq: ${(error as Error).message}.`,
        {
          cause: error,
          hint: `Check that the conductor may write to ${directory} and that there is space.`,
        },
      );
    }
  }
}

function fileName({ macAddress }: DhcpPort): string {
  return macAddress.replaceAll(':', '-');
}

async function belongsTo(path: string, owner: string): Promise<boolean> {
  try {
    return (await readFile(path, 'utf8')).startsWith(`${owner}\n`);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startService, type Service } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { poll } from '../wait.ts';
import type { LabNetwork } from './lab-network.ts';

const startTimeoutMs = 10_000;

export interface DhcpServerOptions {
  readonly network: LabNetwork;
  /** Where its configuration, its leases and its log go. */
  readonly directory: string;
  /** Configuration files that others write, read once at the start. */
  readonly configurationFiles?: readonly string[];
  /** More lines of configuration, for boot files that no conductor decides on. */
  readonly lines?: readonly string[];
  /** Whom it runs as after the start, which decides what it can read. Default: who started it. */
  readonly account?: { readonly user: string; readonly group: string };
}

/** dnsmasq on a {@link LabNetwork}: gives addresses to all machines, and boot files by DHCP and TFTP as it is told. No DNS. */
export class DhcpServer {
  /** Of its log, which tells every request, its tags, and every option that was sent. */
  readonly logPath: string;
  readonly #service: Service;

  private constructor(service: Service, logPath: string) {
    this.#service = service;
    this.logPath = logPath;
  }

  /** @throws LAB_PROCESS_ENDED with what dnsmasq says of its configuration. */
  static async start(options: DhcpServerOptions): Promise<DhcpServer> {
    const { directory, account } = options;
    const configuration = join(directory, 'dnsmasq.conf');
    const logPath = join(directory, 'dnsmasq.log');
    await writeFile(configuration, `${configurationLines(options, logPath).join('\n')}\n`);
    await writeFile(logPath, '');
    // Only in its debugging mode it does not change to an account, which needs root.
    const mode = account === undefined ? ['--no-daemon'] : ['--keep-in-foreground'];
    const service = startService('dnsmasq', [...mode, `--conf-file=${configuration}`]);
    const server = new DhcpServer(service, logPath);
    try {
      await server.waitForLog(/DHCP, sockets bound exclusively/, startTimeoutMs);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#service.pid;
  }

  async log(): Promise<string> {
    return readFile(this.logPath, 'utf8');
  }

  /** Waits for a line of the log, also one that is there already. @throws LAB_TIMEOUT, LAB_PROCESS_ENDED */
  async waitForLog(pattern: RegExp, timeoutMs: number): Promise<string> {
    const find = async (): Promise<string | undefined> => {
      const running = this.#service.isRunning();
      const found = (await this.log()).split('\n').find((line) => pattern.test(line));
      if (found === undefined && !running) {
        const { stderr } = await this.#service.exited;
        throw new LabError('LAB_PROCESS_ENDED', `dnsmasq ended.\n${stderr}`);
      }
      return found;
    };
    return poll(find, { what: `${pattern} in ${this.logPath}`, timeoutMs });
  }

  async stop(): Promise<void> {
    await this.#service.stop('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function configurationLines(options: DhcpServerOptions, logPath: string): readonly string[] {
  const { network, directory, configurationFiles = [], lines = [], account } = options;
  return [
    'port=0',
    `interface=${network.interface}`,
    'bind-interfaces',
    `dhcp-range=${network.range.join(',')},10m`,
    `dhcp-leasefile=${join(directory, 'dnsmasq.leases')}`,
    // Without router advertisements iPXE waits 13 s longer before it goes on with the address that it has.
    'enable-ra',
    `dhcp-range=${network.prefix6},ra-only`,
    'pid-file=',
    // It would wait for an answer of every address before it gives it away.
    'no-ping',
    'log-dhcp',
    `log-facility=${logPath}`,
    ...(account === undefined ? [] : [`user=${account.user}`, `group=${account.group}`]),
    ...configurationFiles.map((path) => `conf-file=${path}`),
    ...lines,
  ];
}

import { run, startService, type Service } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { poll } from '../wait.ts';
import type { LabNetwork } from './lab-network.ts';

/** tftpd-hpa on a {@link LabNetwork}, as its Debian package runs it: as user tftp, confined to the root. Needs root. */
export class TftpServer {
  readonly #service: Service;

  private constructor(service: Service) {
    this.#service = service;
  }

  static async start({ network, root }: { readonly network: LabNetwork; readonly root: string }): Promise<TftpServer> {
    const listen = ['--foreground', '--listen', '--address', `${network.address}:69`];
    const service = startService('in.tftpd', [...listen, '--user', 'tftp', '--secure', root]);
    const isListening = async (): Promise<true | undefined> => {
      if (!service.isRunning()) {
        throw new LabError('LAB_PROCESS_ENDED', `in.tftpd ended at once.\n${(await service.exited).stderr}`);
      }
      return (await run('ss', ['-Hlun', 'sport', '=', ':69'])) === '' ? undefined : true;
    };
    await poll(isListening, { what: 'in.tftpd to listen', timeoutMs: 10_000 });
    return new TftpServer(service);
  }

  get pid(): number {
    return this.#service.pid;
  }

  async stop(): Promise<void> {
    await this.#service.stop('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

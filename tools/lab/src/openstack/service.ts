import { readFile } from 'node:fs/promises';
import { run, startService, type Service } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import { poll } from '../wait.ts';

const startTimeoutMs = 90_000;
const stopTimeoutMs = 10_000;
/** Lines of the log that an error quotes. */
const quotedLines = 20;

/** Debian's Python: another one may come first in the path, and has no Keystone. */
export const python = '/usr/bin/python3';

export interface OpenStackServiceOptions {
  /** For messages: "Keystone". */
  readonly name: string;
  /** Of {@link python}. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where the service writes its log. */
  readonly logFile: string;
  /** Answers with success when the service can work. */
  readonly probeUrl: string;
}

/** Keystone, Cinder or Glance in a process of its own, which can be stopped and started again with what it had. */
export class OpenStackService {
  readonly #options: OpenStackServiceOptions;
  #process: Service | undefined;

  constructor(options: OpenStackServiceOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning() ?? false;
  }

  /** Of the process that was started last. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Returns when the service answers. @throws LAB_PROCESS_ENDED, LAB_TIMEOUT with the end of its log. */
  async start(signal?: AbortSignal): Promise<void> {
    const { name, args, env, logFile, probeUrl } = this.#options;
    const process = startService(python, args, { env: { PYTHONDONTWRITEBYTECODE: '1', ...env } });
    process.stdout.resume();
    this.#process = process;
    const ask = async (): Promise<true | undefined> => {
      if (!process.isRunning()) {
        const { exitCode, stderr } = await process.exited;
        throw new LabError('LAB_PROCESS_ENDED', `${name} ended with ${exitCode}.\n${await logEnd(logFile)}\n${stderr}`);
      }
      return (await answers(probeUrl)) ? true : undefined;
    };
    const what = `${name} to answer`;
    try {
      await poll(ask, { what, timeoutMs: startTimeoutMs, intervalMs: 100, signal });
    } catch (error) {
      await this.kill();
      if (!(error instanceof LabError) || error.code !== 'LAB_TIMEOUT') throw error;
      throw new LabError('LAB_TIMEOUT', `${error.message}\n${await logEnd(logFile)}`);
    }
  }

  /** Ends it the way a service manager does: requests that it has begun are answered. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGTERM', stopTimeoutMs);
  }

  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Everything that it has logged, over all its starts. */
  async log(): Promise<string> {
    return readLog(this.#options.logFile);
  }
}

/** Runs one of the programs that prepare a service to its end. @throws LAB_COMMAND_FAILED with the end of its log. */
export async function runPython(
  args: readonly string[],
  options: {
    readonly logFile: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { logFile, env = {}, signal } = options;
  try {
    await run(python, args, { env, signal, timeoutMs: 120_000 });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(error.code, `${error.message}\n${await logEnd(logFile)}`, { cause: error });
  }
}

async function readLog(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function logEnd(path: string): Promise<string> {
  return (await readLog(path)).trimEnd().split('\n').slice(-quotedLines).join('\n');
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  return response?.ok ?? false;
}

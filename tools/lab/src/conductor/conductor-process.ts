import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';
import { stringify } from 'yaml';
import { LabError } from '../lab-error.ts';

const workspaceRoot = resolve(import.meta.dirname, '../../../..');
const program = join(workspaceRoot, 'apps/conductor/dist/main.js');
const startTimeoutMs = 20_000;

export interface ConductorOptions {
  /** Directory of the site; made when it does not exist. */
  readonly site: string;
  /** Contents of `ironbark.yaml`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Paths of our own plugins, for the `plugins` list of a site that is not installed from packages. */
export function pluginPaths(...names: readonly string[]): readonly string[] {
  return names.map((name) => join(workspaceRoot, 'plugins', name));
}

/**
 * Runs a command of `ironbark` that ends by itself, with JSON output. @returns what it printed, whatever its exit code.
 * @throws LAB_COMMAND_FAILED when it printed nothing.
 */
export async function runIronbark<Result>(site: string, ...command: readonly string[]): Promise<Result> {
  const args = [program, ...command, '--site', site, '--json'];
  const { stdout, stderr } = await execa(process.execPath, args, { reject: false, stdin: 'ignore', timeout: 60_000 });
  if (stdout === '') throw new LabError('LAB_COMMAND_FAILED', `ironbark ${command.join(' ')} failed.\n${stderr}`);
  return JSON.parse(stdout) as Result;
}

/** A conductor as an operator runs it: the built program, in a process of its own. */
export class ConductorProcess {
  readonly url: string;
  readonly pid: number;
  readonly #child: ResultPromise<typeof childOptions>;
  readonly #log: string[];

  private constructor(url: string, child: ResultPromise<typeof childOptions>, log: string[]) {
    this.url = url;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#log = log;
  }

  /** Writes the configuration, starts the conductor and waits until it answers. */
  static async start({ site, config }: ConductorOptions): Promise<ConductorProcess> {
    if (!existsSync(program))
      throw new LabError('LAB_INVALID', `${program} is missing.`, { hint: 'Build the workspace first.' });
    await mkdir(site, { recursive: true });
    await writeFile(join(site, 'ironbark.yaml'), stringify(config));
    return ConductorProcess.startAgain(site);
  }

  /** Starts a conductor on a site that exists. */
  static async startAgain(site: string): Promise<ConductorProcess> {
    const child = execa(
      'setpriv',
      ['--pdeathsig', 'KILL', process.execPath, program, 'serve', '--site', site],
      childOptions,
    );
    const log: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => void log.push(text));
    const url = await readyUrl(child, log);
    return new ConductorProcess(url, child, log);
  }

  /** Everything that it wrote to its log so far. */
  get log(): string {
    return this.#log.join('');
  }

  /** Ends it the way a service manager does. @returns its exit code. */
  async stop(): Promise<number | undefined> {
    this.#child.kill('SIGTERM');
    return (await this.#child).exitCode;
  }

  /** Ends it the way a power cut does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child;
  }
}

const childOptions = {
  reject: false,
  stdin: 'ignore',
  buffer: false,
  forceKillAfterDelay: 60_000,
} as const satisfies Options;

/** The address from the line that the conductor prints when it answers. */
async function readyUrl(child: ResultPromise<typeof childOptions>, log: readonly string[]): Promise<string> {
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  try {
    let printed = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      printed += String(text);
      const url = /(https?:\/\/\S+)\s*\n/.exec(printed)?.[1];
      if (url !== undefined) return url;
    }
  } finally {
    clearTimeout(timer);
  }
  const { exitCode, signal } = await child;
  throw new LabError('LAB_PROCESS_ENDED', `The conductor did not start (exit ${exitCode ?? signal}).\n${log.join('')}`);
}

import { execa } from 'execa';
import type { Duplex, Readable } from 'node:stream';
import { LabError } from './lab-error.ts';

const installHint = 'Install the Debian packages that missingPackages() names.';

export interface CommandOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end and returns its standard output.
 * @throws LAB_COMMAND_FAILED with the last lines of its standard error; the arguments are not quoted, they may hold secrets.
 */
export async function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await execa(file, args, {
    reject: false,
    stdin: 'ignore',
    timeout: options.timeoutMs ?? 60_000,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    env: environment(options.env),
  });
  options.signal?.throwIfAborted();
  if (!result.failed) return result.stdout;
  const reason = result.timedOut ? 'took too long' : `ended with ${result.exitCode ?? result.signal ?? result.code}`;
  const lines = result.stderr.trim().split('\n').slice(-5).join('\n');
  const message = `${file} ${reason}.${lines === '' ? '' : `\n${lines}`}`;
  throw new LabError('LAB_COMMAND_FAILED', message, result.code === 'ENOENT' ? { hint: installHint } : {});
}

export interface ServiceExit {
  readonly exitCode: number | undefined;
  /** The last lines of standard error. */
  readonly stderr: string;
}

export interface Service {
  readonly pid: number;
  readonly stdout: Readable;
  /** A two-way channel on file descriptor 3 of the process. */
  readonly channel: Duplex;
  readonly exited: Promise<ServiceExit>;
  isRunning(): boolean;
  /** Sends the signal and waits for the end; after `graceMs` the process is killed. */
  stop(signal: 'SIGTERM' | 'SIGKILL', graceMs?: number): Promise<void>;
}

/**
 * Starts a process that lives no longer than this one: execa ends it when this process exits or is interrupted, and the kernel
 * kills it when this process is killed (setpriv sets the parent death signal and executes the command in its own place).
 */
export function startService(
  file: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Service {
  const child = execa('setpriv', ['--pdeathsig', 'KILL', file, ...args], {
    reject: false,
    buffer: false,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: environment(options.env),
  });
  const { pid } = child;
  let running = pid !== undefined;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const exited = child.then((result): ServiceExit => {
    running = false;
    return { exitCode: result.exitCode, stderr: stderr.trim() };
  });
  if (pid === undefined) {
    throw new LabError('LAB_COMMAND_FAILED', `${file} could not be started.`, {
      hint: installHint,
    });
  }
  return {
    pid,
    stdout: child.stdout,
    channel: child.stdio[3] as unknown as Duplex,
    exited,
    isRunning: () => running,
    async stop(signal, graceMs = 2000) {
      if (running) child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(killer);
    },
  };
}

/** tgtd and mke2fs are in folders that are not in the path of every user. */
export function environment(added: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, ...added };
}

import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { onTestFinished } from 'vitest';

const main = join(import.meta.dirname, '../src/main.ts');
const command = [process.execPath, '--conditions=@ironbark/source', main] as const;

export const pluginDirectory = join(import.meta.dirname, '../../../plugins');
export const gatePlugin = join(import.meta.dirname, 'fixtures/gate-plugin');
export const arrayPlugin = join(import.meta.dirname, 'fixtures/array-plugin');

/** Runs the command as an operator does, from the sources. Never throws for its exit code. */
export async function ironbark(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [node, ...options] = command;
  const { exitCode, stdout, stderr } = await execa(node, [...options, ...words], {
    reject: false,
    env: environment,
    timeout: 30_000,
    stdin: 'ignore',
  });
  return { exitCode, stdout, stderr };
}

const startOptions = { reject: false, stdin: 'ignore', forceKillAfterDelay: false } as const satisfies Options;

/** Starts the command and leaves it running. What still runs when the test ends is killed. */
export function start(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [node, ...options] = command;
  const child = execa(node, [...options, ...words], { ...startOptions, env: environment });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  return child;
}

/** Starts `ironbark serve` and waits for the line that says that it is ready. */
export async function serve(site: string, environment: Readonly<Record<string, string>> = {}) {
  const child = start(['serve', '--site', site], environment);
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    void child.then(({ stderr }) => reject(new Error(`The conductor did not start:\n${stderr}`)));
  });
  return { child, line, url: /http:\S+/.exec(line)?.[0] ?? '' };
}

/** A call of the API. */
export async function call(url: string, method: string, path: string, body?: unknown) {
  const headers = { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.72' };
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> };
}

import { once } from 'node:events';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startLab } from '../src/index.ts';
import { poll } from '../src/wait.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const program = fileURLToPath(new URL('lab-process.ts', import.meta.url));

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
});

afterEach(async () => rm(directory, { recursive: true }));

/** Starts a process with a lab in which a machine is switched on; `pids` are those of qemu and tgtd. */
async function labProcess() {
  const args = ['--conditions=@ironbark/source', program, directory];
  const child = execa(process.execPath, args, { reject: false, stdin: 'ignore', buffer: false });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, pids: JSON.parse(output.toString()) as number[] };
}

async function allGone(pids: readonly number[]): Promise<true | undefined> {
  const gone = pids.map(async (pid) =>
    access(`/proc/${pid}`).then(
      () => false,
      () => true,
    ),
  );
  return (await Promise.all(gone)).every(Boolean) ? true : undefined;
}

test.each(['SIGKILL', 'SIGTERM'] as const)('no child outlives a process that is ended by %s', async (signal) => {
  const { child, pids } = await labProcess();
  expect(pids).toHaveLength(2);
  child.kill(signal);
  await child;

  expect(await poll(async () => allGone(pids), { what: 'qemu and tgtd to end', timeoutMs: 5000 })).toBe(true);
});

test('a process that ends without stopping its lab leaves no process and no file', async () => {
  const { child, pids } = await labProcess();
  child.kill('SIGUSR2');
  await child;

  expect(await poll(async () => allGone(pids), { what: 'qemu and tgtd to end', timeoutMs: 5000 })).toBe(true);
  expect(await readdir(directory)).toEqual([]);
});

test('an aborted signal stops the lab', async () => {
  const controller = new AbortController();
  const lab = await startLab({ directory, signal: controller.signal });
  const { machine } = await lab.createMachine({ name: 'machine' });
  await machine.powerOn();
  const pids = [machine.pid ?? 0, lab.iscsi.pid];
  controller.abort();

  try {
    expect(await poll(async () => allGone(pids), { what: 'qemu and tgtd to end', timeoutMs: 5000 })).toBe(true);
    await expect.poll(async () => readdir(directory)).toEqual([]);
  } finally {
    await lab.stop();
  }
});

test('a lab that is aborted while it starts leaves nothing', async () => {
  const controller = new AbortController();
  const starting = startLab({ directory, signal: controller.signal });
  controller.abort(new Error('interrupted'));

  await expect(starting).rejects.toThrow('interrupted');
  expect(await readdir(directory)).toEqual([]);
});

test('a machine that cannot start says what qemu says', async () => {
  await using lab = await startLab({ directory });
  const { machine } = await lab.createMachine({ name: 'machine', disk: join(directory, 'missing.img') });

  await expect(machine.powerOn()).rejects.toThrow(/missing\.img.*No such file/);
  expect(machine.isOn).toBe(false);
});

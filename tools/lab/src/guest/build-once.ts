import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';

/**
 * Returns the directory, made by `build` unless it exists. Processes that ask at the same time wait for the one that builds;
 * a build that fails leaves nothing.
 */
export async function buildOnce(directory: string, build: (work: string) => Promise<void>): Promise<string> {
  if (await exists(directory)) return directory;
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await using held = new AsyncDisposableStack();
  held.use(await lock(join(parent, `.${basename(directory)}.lock`)));
  if (await exists(directory)) return directory;
  const work = await mkdtemp(join(parent, '.building-'));
  try {
    await build(work);
    // Servers under other users read what is kept here.
    await chmod(work, 0o755);
    await rename(work, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return directory;
}

/** A lock of the kernel, so that it ends with this process however that ends: flock keeps it as long as our end of the pipe is open. */
async function lock(path: string): Promise<AsyncDisposable> {
  const holder = execa('flock', ['--exclusive', path, 'cat'], { buffer: false });
  holder.stdin.write('locked\n');
  // cat, and so the answer, begins when flock has the lock.
  await Promise.race([once(holder.stdout, 'data'), holder]);
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await holder;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

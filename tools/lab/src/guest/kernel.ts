import { access, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../child-process.ts';
import { LabError } from '../lab-error.ts';
import type { CpioEntry } from './cpio.ts';

const bootDirectory = '/boot';

export interface Kernel {
  readonly version: string;
  readonly path: string;
}

/**
 * The newest installed kernel of Debian, the small cloud kernel if there is one.
 * @throws LAB_PACKAGE_MISSING when there is none.
 */
export async function findKernel(): Promise<Kernel> {
  const names = await readdir(bootDirectory).catch(() => []);
  const versions = names.filter((name) => /^vmlinuz-.+-amd64$/.test(name)).map((name) => name.slice('vmlinuz-'.length));
  const newestFirst = versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const version = newestFirst.find((each) => each.includes('-cloud-')) ?? newestFirst[0];
  if (version === undefined) {
    throw new LabError('LAB_PACKAGE_MISSING', 'No Debian kernel was found in /boot.', {
      hint: 'Install linux-image-cloud-amd64.',
    });
  }
  return { version, path: join(bootDirectory, `vmlinuz-${version}`) };
}

/** The modules with all that they depend on, as files below /modules and the list /modules/order in loading order. */
export async function moduleEntries(kernel: Kernel, modules: readonly string[]): Promise<readonly CpioEntry[]> {
  const files = new Set<string>();
  for (const module of modules) {
    const output = await run('modprobe', ['-S', kernel.version, '--show-depends', module]);
    for (const line of output.split('\n')) {
      const [action, path] = line.trim().split(/\s+/);
      if (action === 'insmod' && path !== undefined) files.add(path);
    }
  }
  const order = [...files].map((path) => `${basename(path)}\n`).join('');
  const contents = await Promise.all([...files].map(async (path) => ({ path, content: await readFile(path) })));
  return [
    { path: 'modules', kind: 'directory' },
    { path: 'modules/order', kind: 'file', content: Buffer.from(order), executable: false },
    ...contents.map(({ path, content }): CpioEntry => ({
      path: `modules/${basename(path)}`,
      kind: 'file',
      content,
      executable: false,
    })),
  ];
}

/** A program with the shared libraries that it loads, at the paths where the loader looks for them. */
export async function programEntries(program: string): Promise<readonly CpioEntry[]> {
  const libraries = (await run('ldd', [program])).match(/\/\S+\.so\S*/g) ?? [];
  const paths = [program, ...new Set(libraries)];
  await Promise.all(paths.map((path) => access(path)));
  return Promise.all(
    paths.map(async (path): Promise<CpioEntry> => ({
      path: path.slice(1),
      kind: 'file',
      content: await readFile(path),
      executable: true,
    })),
  );
}

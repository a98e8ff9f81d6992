import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHooks } from '@ironbark/core';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPackage } from '../src/check-package.ts';
import { declaredMembers, documentedMembers, readGuide, titledBlocks } from './documented-example.ts';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(packageDirectory, '../../node_modules/.bin/tsc');

/** Packages that the example needs, with where they are from this package. */
const installed = {
  '@ironbark/core': 'node_modules/@ironbark/core',
  '@ironbark/driver-testkit': '.',
  '@types/node': '../../node_modules/@types/node',
  zod: 'node_modules/zod',
};

/** What differs between a site and this repository, where core is not built. */
const checkConfig = {
  extends: './tsconfig.json',
  compilerOptions: {
    noEmit: true,
    rootDir: '/',
    customConditions: ['@ironbark/source'],
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    lib: ['es2024', 'esnext.disposable'],
  },
  include: ['src', 'test'],
};

describe('the example of the guide', () => {
  let directory: string;

  beforeAll(async () => {
    const files = new Map(titledBlocks(await readGuide()));
    files.set('tsconfig.check.json', JSON.stringify(checkConfig));
    files.set('dist/plugin.js', "export { default } from '../src/plugin.ts';\n");
    directory = await mkdtemp(join(tmpdir(), 'ironbark-guide-'));
    for (const [path, text] of files) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    for (const [name, target] of Object.entries(installed)) {
      await mkdir(dirname(join(directory, 'node_modules', name)), { recursive: true });
      await symlink(join(packageDirectory, target), join(directory, 'node_modules', name));
    }
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('consists of the files that it names', async () => {
    const paths = ['package.json', 'tsconfig.json', 'src/plugin.ts', 'test/conformance.test.ts'];
    expect([...titledBlocks(await readGuide()).keys()]).toEqual(paths);
  });

  it('is a package without problems', async () => {
    expect(await checkPackage(directory, { built: true })).toEqual([]);
  });

  it('passes the type checker', async () => {
    const { stdout } = await execa(tsc, ['-p', 'tsconfig.check.json'], {
      cwd: directory,
      reject: false,
      timeout: 60_000,
    });
    expect(stdout).toBe('');
  }, 60_000);

  it("passes its own conformance tests under Node's test runner", async () => {
    const flags = ['--conditions=@ironbark/source', '--test-reporter=tap', '--test', 'test/conformance.test.ts'];
    const env = { NODE_TEST_CONTEXT: undefined };
    const { stdout, exitCode } = await execa(process.execPath, flags, {
      cwd: directory,
      reject: false,
      timeout: 60_000,
      env,
    });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(25);
    expect(exitCode).toBe(0);
  }, 60_000);
});

describe('the tables of the guide', () => {
  it.each([
    ['Every interface', 'DriverInterface'],
    ['`power`', 'PowerInterface'],
    ['`management`', 'ManagementInterface'],
    ['`boot`', 'BootInterface'],
    ['`storage`', 'StorageInterface'],
    ['`deploy`', 'DeployInterface'],
    ['`vendor`', 'VendorInterface'],
    ['`network`', 'NetworkInterface'],
  ])('name the members of %s and which are required, as core declares them', async (heading, interfaceName) => {
    const declared = await declaredMembers(interfaceName);
    expect(declared.size).toBeGreaterThan(0);
    expect(documentedMembers(await readGuide(), heading)).toEqual(declared);
  });

  it('name the hooks that core has', async () => {
    const names = [...documentedMembers(await readGuide(), 'Hooks').keys()];
    expect(names).toEqual(Object.keys(createHooks()));
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPackage } from '../src/check-package.ts';

const good = {
  name: 'ironbark-power-outlet',
  version: '1.0.0',
  license: 'MIT',
  type: 'module',
  files: ['dist'],
  exports: {
    '.': { development: './src/plugin.ts', types: './dist/plugin.d.ts', default: './dist/plugin.js' },
    './package.json': './package.json',
  },
  keywords: ['ironbark-driver'],
  ironbark: { api: '1.0', drivers: { 'power:outlet': './dist/plugin.js' } },
  peerDependencies: { '@ironbark/core': '^0.1.0' },
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ironbark-check-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function write(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

async function placesOf(packageJson: object): Promise<readonly string[]> {
  await write({ 'package.json': packageJson, 'dist/plugin.js': '' });
  return (await checkPackage(directory)).map(({ where }) => where);
}

describe('checkPackage', () => {
  it('finds nothing wrong with a good package', async () => {
    expect(await placesOf(good)).toEqual([]);
  });

  it('takes the source for an entry that is not built yet, unless it has to be built', async () => {
    await write({ 'package.json': good, 'src/plugin.ts': '' });
    expect(await checkPackage(directory)).toEqual([]);
    expect(await checkPackage(directory, { built: true })).toEqual([
      { where: 'ironbark.drivers["power:outlet"]', problem: expect.stringContaining('does not exist') as string },
    ]);
  });

  it.each([
    ['a field without drivers', 'ironbark', { ironbark: { api: '1.0' } }],
    ['a field that is missing', 'ironbark', { ironbark: undefined }],
    [
      'a driver id of an unknown kind',
      'ironbark',
      { ironbark: { api: '1.0', drivers: { 'disk:x': './dist/plugin.js' } } },
    ],
    ['an empty list of drivers', 'ironbark.drivers', { ironbark: { api: '1.0', drivers: {} } }],
    ['another API version', 'ironbark.api', { ironbark: { ...good.ironbark, api: '99.0' } }],
    [
      'an entry that is not exported',
      'ironbark.drivers["power:outlet"]',
      { exports: { '.': './dist/other.js', './package.json': './package.json' } },
    ],
    ['an entry that is not published', 'ironbark.drivers["power:outlet"]', { files: ['lib'] }],
    ['core among the dependencies', 'dependencies', { dependencies: { '@ironbark/core': '^0.1.0' } }],
    ['core not as a peer', 'peerDependencies', { peerDependencies: {} }],
    ['the keyword missing', 'keywords', { keywords: ['driver'] }],
    ['a package of CommonJS', 'type', { type: 'commonjs' }],
    ['no licence', 'license', { license: undefined }],
    ['a manifest that cannot be read through exports', 'exports', { exports: { '.': './dist/plugin.js' } }],
  ])('reports %s', async (_title, where, change) => {
    expect(await placesOf({ ...good, ...change })).toEqual([where]);
  });

  it('accepts an entry that a pattern publishes', async () => {
    expect(await placesOf({ ...good, files: ['dist/*.js'] })).toEqual([]);
  });

  it('accepts a package that publishes everything and exports one file', async () => {
    expect(await placesOf({ ...good, files: undefined, exports: './dist/plugin.js' })).toEqual([]);
  });

  it('says so when there is no package.json, or when it is no JSON', async () => {
    expect(await checkPackage(directory)).toMatchObject([{ where: 'package.json' }]);
    await write({ 'package.json': '{' });
    expect(await checkPackage(directory)).toMatchObject([{ where: 'package.json', problem: /not JSON/ }]);
  });
});

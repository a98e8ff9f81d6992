import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { discoverPlugins } from '../src/index.ts';
import { createSite, pluginPackage } from './fixture-site.ts';

const library = { packageJson: { name: 'left-pad', version: '1.0.0' } };
const acme = pluginPackage('@acme/x', ['boot:x']);

function stateOf(site: string, options: Parameters<typeof discoverPlugins>[1] = {}) {
  return discoverPlugins(site, options).map(({ packageName, state, reason }) => [
    packageName,
    state,
    reason?.code ?? null,
  ]);
}

describe('discovery in the dependencies of the site', () => {
  it('lists a plugin with package, version, directory, API and drivers', () => {
    const site = createSite({ packageJson: { dependencies: { '@acme/x': '1' } }, packages: { '@acme/x': acme } });
    expect(discoverPlugins(site)).toEqual([
      {
        packageName: '@acme/x',
        version: '1.2.3',
        directory: join(site, 'node_modules/@acme/x'),
        api: '1.0',
        drivers: new Map([['boot:x', './index.js']]),
        state: 'usable',
        reason: null,
        warnings: [],
        allowApiMismatch: false,
      },
    ]);
  });

  it('leaves out packages that are no plugins', () => {
    const site = createSite({ packageJson: { dependencies: { 'left-pad': '1' } }, packages: { 'left-pad': library } });
    expect(discoverPlugins(site)).toEqual([]);
  });

  it('leaves out plugins that are installed but no dependency of the site', () => {
    const site = createSite({ packageJson: { dependencies: {} }, packages: { '@acme/x': acme } });
    expect(discoverPlugins(site)).toEqual([]);
  });

  it('reads optional dependencies and leaves out development dependencies', () => {
    const site = createSite({
      packageJson: { optionalDependencies: { '@acme/x': '1' }, devDependencies: { '@acme/y': '1' } },
      packages: { '@acme/x': acme, '@acme/y': pluginPackage('@acme/y', ['boot:y']) },
    });
    expect(stateOf(site)).toEqual([['@acme/x', 'usable', null]]);
  });

  it('finds a plugin that exports nothing but an import entry', () => {
    const packageJson = { ...acme.packageJson, exports: { '.': { import: './index.js' } } };
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x': { packageJson } },
    });
    expect(stateOf(site)).toEqual([['@acme/x', 'usable', null]]);
  });

  it('finds nothing in a site without package.json', () => {
    expect(discoverPlugins(createSite({}))).toEqual([]);
  });

  it('refuses a package.json of the site that is no JSON, naming the file', () => {
    const site = createSite({ packageJson: '{' });
    expect(() => discoverPlugins(site)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(join(site, 'package.json')) as string,
      }),
    );
  });

  it('runs no code of the plugins', () => {
    const loud = pluginPackage('@acme/x', ['boot:x']);
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x': { ...loud, files: { 'index.js': 'throw new Error("ran")' } } },
    });
    expect(stateOf(site)).toEqual([['@acme/x', 'usable', null]]);
  });
});

describe('a candidate that cannot be used is listed with the reason', () => {
  it.each([
    ['it is not installed', undefined, 'missing', 'PLUGIN_LOAD_FAILED'],
    [
      'its manifest is malformed',
      { packageJson: { name: '@acme/x', ironbark: { api: 'latest', drivers: {} } } },
      'invalid',
      'PLUGIN_MANIFEST_INVALID',
    ],
    [
      'it needs a newer minor version',
      pluginPackage('@acme/x', ['boot:x'], '', { api: '1.999' }),
      'incompatible',
      'PLUGIN_API_MISMATCH',
    ],
    [
      'it needs another major version',
      pluginPackage('@acme/x', ['boot:x'], '', { api: '2.0' }),
      'incompatible',
      'PLUGIN_API_MISMATCH',
    ],
  ])('when %s', (_case, given, state, code) => {
    const packages = given === undefined ? {} : { '@acme/x': given };
    expect(stateOf(createSite({ packageJson: { dependencies: { '@acme/x': '1' } }, packages }))).toEqual([
      ['@acme/x', state, code],
    ]);
  });

  it('when its package.json is no JSON', () => {
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x/../x': { packageJson: [] } },
    });
    expect(stateOf(site)).toEqual([['@acme/x', 'invalid', 'PLUGIN_MANIFEST_INVALID']]);
  });

  it('and does not keep the others from the list', () => {
    const site = createSite({
      packageJson: { dependencies: { '@acme/gone': '1', '@acme/x': '1' } },
      packages: { '@acme/x': acme },
    });
    expect(stateOf(site)).toEqual([
      ['@acme/gone', 'missing', 'PLUGIN_LOAD_FAILED'],
      ['@acme/x', 'usable', null],
    ]);
  });

  it('naming both API versions, the plugin and its version, and the fix', () => {
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x': pluginPackage('@acme/x', ['boot:x'], '', { api: '2.1' }) },
    });
    const [candidate] = discoverPlugins(site);
    expect([candidate?.reason?.message, candidate?.reason?.hint]).toEqual([
      'Plugin @acme/x 1.2.3 is made for plugin API 2.1, this conductor offers 1.0.',
      'Upgrade the conductor, or install an older version of @acme/x.',
    ]);
  });

  it('unless the operator allows its API version', () => {
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x': pluginPackage('@acme/x', ['boot:x'], '', { api: '2.0' }) },
    });
    expect(stateOf(site, { allowApiMismatch: ['@acme/x'] })).toEqual([['@acme/x', 'usable', null]]);
  });
});

describe('an explicit list', () => {
  it('replaces the dependencies of the site', () => {
    const site = createSite({
      packageJson: { dependencies: { '@acme/x': '1' } },
      packages: { '@acme/x': acme, '@acme/y': pluginPackage('@acme/y', ['boot:y']) },
    });
    expect(stateOf(site, { plugins: ['@acme/y'] })).toEqual([['@acme/y', 'usable', null]]);
  });

  it('takes paths relative to the site, and absolute ones', () => {
    const site = createSite({ paths: { 'dev/x': acme, 'dev/y': pluginPackage('@acme/y', ['boot:y']) } });
    expect(stateOf(site, { plugins: ['./dev/x', join(site, 'dev/y')] })).toEqual([
      ['@acme/x', 'usable', null],
      ['@acme/y', 'usable', null],
    ]);
  });

  it('reports a package that is no plugin, because it was named', () => {
    const site = createSite({ packages: { 'left-pad': library } });
    expect(stateOf(site, { plugins: ['left-pad'] })).toEqual([['left-pad', 'invalid', 'PLUGIN_MANIFEST_INVALID']]);
  });

  it('reports a path that leads nowhere', () => {
    expect(stateOf(createSite({}), { plugins: ['./dev/x'] })).toEqual([['./dev/x', 'missing', 'PLUGIN_LOAD_FAILED']]);
  });

  it('lists a package once that is named by name and by path', () => {
    const site = createSite({ packages: { '@acme/x': acme } });
    expect(stateOf(site, { plugins: ['@acme/x', './node_modules/@acme/x'] })).toEqual([['@acme/x', 'usable', null]]);
  });

  it('lists a linked package once, with the directory that it really is in', () => {
    const site = createSite({ paths: { 'dev/x': acme } });
    mkdirSync(join(site, 'node_modules/@acme'), { recursive: true });
    symlinkSync(join(site, 'dev/x'), join(site, 'node_modules/@acme/x'));
    const candidates = discoverPlugins(site, { plugins: ['@acme/x', './dev/x'] });
    expect(candidates.map(({ directory }) => directory)).toEqual([join(site, 'dev/x')]);
  });

  it('may be empty', () => {
    const site = createSite({ packageJson: { dependencies: { '@acme/x': '1' } }, packages: { '@acme/x': acme } });
    expect(discoverPlugins(site, { plugins: [] })).toEqual([]);
  });
});

it('warns of a plugin that brings its own copy of core', () => {
  const packageJson = { ...acme.packageJson, dependencies: { '@ironbark/core': '^0.1.0' } };
  const site = createSite({
    packageJson: { dependencies: { '@acme/x': '1' } },
    packages: { '@acme/x': { packageJson } },
  });
  expect(discoverPlugins(site)[0]?.warnings).toEqual([expect.stringContaining('peerDependencies')]);
});

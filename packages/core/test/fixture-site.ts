import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface FixturePackage {
  readonly packageJson: object;
  /** Contents by path inside the package. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface FixtureSite {
  readonly packageJson?: object | string;
  /** Installed packages by name. */
  readonly packages?: Readonly<Record<string, FixturePackage>>;
  /** Packages elsewhere in the site, by path. */
  readonly paths?: Readonly<Record<string, FixturePackage>>;
}

/** Makes a site directory as an operator has it; it is removed when the test ends. */
export function createSite({ packageJson, packages = {}, paths = {} }: FixtureSite): string {
  const site = realpathSync(mkdtempSync(join(tmpdir(), 'ironbark-site-')));
  onTestFinished(() => rmSync(site, { recursive: true }));
  if (packageJson !== undefined) {
    write(join(site, 'package.json'), typeof packageJson === 'string' ? packageJson : JSON.stringify(packageJson));
  }
  const directories = {
    ...paths,
    ...Object.fromEntries(Object.entries(packages).map(([name, each]) => [`node_modules/${name}`, each])),
  };
  for (const [path, { packageJson: manifest, files = {} }] of Object.entries(directories)) {
    write(join(site, path, 'package.json'), JSON.stringify(manifest));
    for (const [file, content] of Object.entries(files)) write(join(site, path, file), content);
  }
  return site;
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** A plugin package: its drivers all come from `./index.js`, whose `setup(host)` has the given body. */
export function pluginPackage(
  name: string,
  drivers: readonly string[],
  setup: string = drivers.map(register).join('\n'),
  options: { readonly api?: string; readonly stamp?: string; readonly members?: string } = {},
): FixturePackage {
  const { api = '1.0', stamp = api, members = '' } = options;
  return {
    packageJson: {
      name,
      version: '1.2.3',
      type: 'module',
      ironbark: { api, drivers: Object.fromEntries(drivers.map((id) => [id, './index.js'])) },
    },
    files: {
      'index.js': `export default {
        [Symbol.for('ironbark.plugin')]: ${JSON.stringify(stamp)},
        ${members}
        async setup(host) { ${setup} },
      };`,
    },
  };
}

/** The statement by which a plugin registers a driver; the driver tells which package it is from. */
export function register(id: string): string {
  const [kind, name] = id.split(':');
  // A driver that has every member of every kind.
  const members =
    'validate getPowerState setPowerState supportedBootDevices getBootDevice setBootDevice render apply cleanUp attach detach shouldWriteImage plan deploy methods configureInstanceNetworks removeInstanceNetworks';
  const value =
    kind === 'hardware'
      ? '{ interfaces: {} }'
      : `{ ${members
          .split(' ')
          .map((member) => `${member}: async () => {}`)
          .join(', ')} }`;
  return `host.${kind}.register(${JSON.stringify(name)}, ${value});`;
}

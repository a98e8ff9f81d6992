import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { packPackages } from '../site/packed-packages.ts';

const ours = [
  '@ironbark/conductor',
  '@ironbark/boot-ipxe',
  '@ironbark/boot-pxe-grub',
  '@ironbark/hardware-fake',
  '@ironbark/hardware-redfish',
  '@ironbark/storage-cinder',
  '@ironbark/storage-external',
];

/** Plugins as third parties publish them: of this repository they know the name of core. */
const theirs = {
  'acme-boot': {
    api: '1.0',
    drivers: { 'boot:acme': './index.js' },
    source: `
      import { definePlugin } from '@ironbark/core';
      const boot = {
        validate: async () => {},
        render: () => ({ files: [], links: [], bootDevice: null, warnings: [] }),
        apply: async () => {},
        cleanUp: async () => {},
      };
      export default definePlugin({ setup: (host) => host.boot.register('acme', boot) });`,
  },
  'acme-future': {
    api: '2.0',
    drivers: { 'boot:future': './index.js' },
    source: "throw new Error('a plugin for another API was imported');",
  },
};

const config = {
  hostname: 'packed',
  api: { port: 0 },
  enabled: {
    hardware: ['fake-hardware'],
    power: ['fake'],
    management: ['fake'],
    boot: ['ipxe', 'pxe', 'acme', 'fake'],
    storage: ['external', 'noop'],
    deploy: ['volume', 'fake'],
  },
};

let work = '';
let tarballs: ReadonlyMap<string, string> = new Map();

beforeAll(async () => {
  work = await realpath(await mkdtemp(join(tmpdir(), 'ironbark-packed-')));
  tarballs = new Map([...(await packPackages(ours, work)), ...(await packTheirs())]);
});

afterAll(() => rm(work, { recursive: true, force: true }));

async function packTheirs(): Promise<readonly (readonly [string, string])[]> {
  return Promise.all(
    Object.entries(theirs).map(async ([name, { api, drivers, source }]) => {
      const directory = join(work, 'sources', name);
      const manifest = {
        name,
        version: '3.0.0',
        type: 'module',
        exports: { '.': { import: './index.js' } },
        ironbark: { api, drivers },
        peerDependencies: { '@ironbark/core': '^0.1.0' },
      };
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
      await writeFile(join(directory, 'index.js'), source);
      await execa('npm', ['pack', '--pack-destination', work], { cwd: directory });
      return [name, join(work, `${name}-3.0.0.tgz`)] as const;
    }),
  );
}

/** Writes a site whose dependencies are the tarballs, also those that the packages have among each other. */
async function writeSite(name: string, workspace: object): Promise<string> {
  const site = join(work, name);
  const files = Object.fromEntries([...tarballs].map(([each, path]) => [each, `file:${path}`]));
  const packageJson = { name: 'site', private: true, dependencies: files, overrides: files };
  await mkdir(site);
  await writeFile(join(site, 'package.json'), JSON.stringify(packageJson));
  await writeFile(join(site, 'pnpm-workspace.yaml'), stringify({ overrides: files, pmOnFail: 'ignore', ...workspace }));
  await writeFile(join(site, 'ironbark.yaml'), stringify(config));
  return site;
}

describe.each([
  ['npm', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], {}],
  ['pnpm', 'pnpm', ['install', '--prefer-offline'], {}],
  ['pnpm with a global virtual store', 'pnpm', ['install', '--prefer-offline'], { enableGlobalVirtualStore: true }],
])('a site installed with %s from packed packages', (layout, program, words, workspace) => {
  let site = '';

  beforeAll(async () => {
    site = await writeSite(layout.replaceAll(' ', '-'), workspace);
    await execa(program, words, { cwd: site });
  });

  const ironbark = (...command: readonly string[]) => {
    return execa(join(site, 'node_modules/.bin/ironbark'), [...command, '--site', site], { reject: false, cwd: work });
  };

  it('lists every plugin with its state, without importing the one for another API', async () => {
    const { stdout, stderr } = await ironbark('plugins', '--json');
    const { plugins, problems } = JSON.parse(stdout) as { readonly plugins: readonly Row[]; readonly problems: object };
    expect([stderr, problems]).toEqual(['', []]);
    expect(Object.fromEntries(plugins.map((row) => [row.package, row.state]))).toEqual({
      '@ironbark/boot-ipxe': 'enabled',
      '@ironbark/boot-pxe-grub': 'enabled',
      '@ironbark/hardware-fake': 'enabled',
      '@ironbark/hardware-redfish': 'not enabled',
      '@ironbark/storage-cinder': 'not enabled',
      '@ironbark/storage-external': 'enabled',
      'acme-boot': 'enabled',
      'acme-future': 'incompatible',
    });
  });

  it('imports every plugin that can be used', async () => {
    const { exitCode, stdout } = await ironbark('plugins', '--check');
    expect([exitCode, stdout]).toEqual([0, expect.not.stringContaining('broken')]);
  });

  it('serves the drivers of our plugins and of theirs', async () => {
    const child = ironbark('serve');
    try {
      let printed = '';
      for await (const text of child.stdout.setEncoding('utf8')) {
        printed += String(text);
        if (printed.endsWith('\n')) break;
      }
      const url = /http:\S+/.exec(printed)?.[0] ?? '';
      const headers = { 'x-openstack-ironic-api-version': '1.72' };
      const response = await fetch(`${url}/v1/drivers/fake-hardware`, { headers });
      expect(await response.json()).toMatchObject({
        hosts: ['packed'],
        enabled_boot_interfaces: expect.arrayContaining(['acme', 'fake', 'ipxe']) as string[],
        enabled_storage_interfaces: expect.arrayContaining(['external', 'noop']) as string[],
      });
      child.kill('SIGTERM');
      expect((await child).exitCode).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

interface Row {
  readonly package: string;
  readonly state: string;
}

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { silentLogger, type Node } from '@ironbark/core';
import { createNode } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BootLoaders, loadersConfig, netbootConfig, openNetboot, type Netboot } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const config = loadersConfig({ bios: 'undionly.kpxe', 'uefi-x86_64': 'snponly.efi' });

async function openTree(httpUrl: string | null = 'http://192.0.2.1'): Promise<Netboot> {
  const stateDirectory = await temporaryDirectory();
  const netboot = await openNetboot({ config: netbootConfig.parse({}), stateDirectory, log: silentLogger });
  const dhcp = { apply: async () => {}, remove: async () => {} };
  return { ...netboot, dhcp, httpUrl };
}

describe('the settings', () => {
  it('have defaults, which null takes away', () => {
    expect(config.parse(undefined)).toEqual({ bios: 'undionly.kpxe', 'uefi-x86_64': 'snponly.efi' });
    expect(config.parse({ bios: null, 'uefi-arm64': '/usr/lib/arm.efi' })).toEqual({
      'uefi-x86_64': 'snponly.efi',
      'uefi-arm64': '/usr/lib/arm.efi',
    });
  });

  it.each([
    { bios: '../undionly.kpxe' },
    { bios: '/usr/lib/ipxe/' },
    { bios: '/usr/lib/a b' },
    { bios: 'a,b' },
    { bios: '' },
    { bios: 'a'.repeat(128) },
    { bios: '11111111-2222-4333-8444-555555555555/kernel' },
    { bios: '/one/ipxe', 'uefi-x86_64': '/other/ipxe' },
    { arm: 'a' },
  ])('refuse %j', (settings) => {
    expect(config.safeParse(settings).success).toBe(false);
  });

  it('have a JSON schema for editors', () => {
    expect(z.toJSONSchema(config, { io: 'input' })).toMatchObject({
      properties: { bios: { default: 'undionly.kpxe' } },
    });
  });
});

describe('BootLoaders', () => {
  it('names each loader the way its firmware fetches it', async () => {
    const settings = config.parse({ 'uefi-x86_64': '/usr/lib/ipxe/snponly.efi', 'uefi-arm64': 'arm64/snponly.efi' });
    expect(new BootLoaders(await openTree(), settings).bootFiles).toEqual({
      bios: 'undionly.kpxe',
      'uefi-x86_64': 'snponly.efi',
      'uefi-arm64': 'arm64/snponly.efi',
      'http-x86_64': 'http://192.0.2.1/snponly.efi',
      'http-arm64': 'http://192.0.2.1/arm64/snponly.efi',
    });
  });

  it('names no URL when that of the HTTP root is not known', async () => {
    const { bootFiles } = new BootLoaders(await openTree(null), config.parse({}));
    expect(Object.keys(bootFiles)).toEqual(['bios', 'uefi-x86_64']);
  });

  it('copies loaders of this host into both roots, and leaves out one that is missing', async () => {
    const netboot = await openTree();
    const source = join(await temporaryDirectory(), 'snponly.efi');
    await writeFile(source, 'efi');
    const warned: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: unknown) => void warned.push(fields) };
    const settings = config.parse({ bios: '/missing/undionly.kpxe', 'uefi-x86_64': source });
    await new BootLoaders(netboot, settings).install(log);
    for (const root of ['http', 'tftp'] as const) {
      expect(await readdir(netboot.tree.directory(root))).toEqual([basename(source)]);
      expect(await readFile(join(netboot.tree.directory(root), 'snponly.efi'), 'utf8')).toBe('efi');
    }
    expect(warned).toMatchObject([
      { loader: '/missing/undionly.kpxe', root: 'http' },
      { loader: '/missing/undionly.kpxe', root: 'tftp' },
    ]);
  });
});

it('refuses to copy two loaders of different drivers to one name', async () => {
  const netboot = await openTree();
  const directory = await temporaryDirectory();
  const sources = ['ipxe', 'grub'].map((name) => join(directory, name, 'bootx64.efi'));
  for (const source of sources) {
    await mkdir(dirname(source));
    await writeFile(source, source);
  }
  const [first, second] = sources.map((source) => new BootLoaders(netboot, config.parse({ 'uefi-x86_64': source })));
  await first?.install(silentLogger);
  await expect(second?.install(silentLogger)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await readFile(join(netboot.tree.directory('tftp'), 'bootx64.efi'), 'utf8')).toBe(sources[0]);
});

describe('warningsFor', () => {
  async function warnings(changes: Partial<Node>, present: readonly string[], settings: object = {}) {
    const netboot = await openTree();
    for (const name of present) await writeFile(join(netboot.tree.directory('tftp'), name), '');
    return await new BootLoaders(netboot, config.parse(settings)).warningsFor(createNode(changes), 'tftp');
  }

  it.each<[string, Partial<Node>, readonly string[], readonly unknown[]]>([
    ['the loader is there', { bootMode: 'bios' }, ['undionly.kpxe'], []],
    [
      'that of another firmware is there',
      { bootMode: 'bios' },
      ['snponly.efi'],
      [expect.stringContaining('undionly.kpxe')],
    ],
    ['the firmware is not known and one is there', {}, ['snponly.efi'], []],
    ['the firmware is not known and none is there', {}, [], [expect.stringMatching(/undionly\.kpxe or snponly\.efi/)]],
    [
      'the records ask for another mode than the machine is in',
      { bootMode: 'bios', properties: { capabilities: 'boot_mode:uefi' } },
      ['snponly.efi'],
      [],
    ],
    [
      'the machine has an ARM processor',
      { bootMode: 'uefi', properties: { cpu_arch: 'aarch64' } },
      ['snponly.efi'],
      ['No boot loader is configured for machines of the architecture uefi-arm64.'],
    ],
  ])('when %s', async (_, node, present, expected) => {
    expect(await warnings(node, present)).toEqual(expected);
  });

  it('does not take the loader for BIOS for one that UEFI fetches by HTTP', async () => {
    const netboot = await openTree();
    await writeFile(join(netboot.tree.directory('http'), 'undionly.kpxe'), '');
    expect(await new BootLoaders(netboot, config.parse({})).warningsFor(createNode(), 'http')).toEqual([
      expect.stringContaining('boot loader snponly.efi, which machines of the architecture uefi-x86_64 or uefi-arm64'),
    ]);
  });

  it('says nothing of the TFTP root when somebody else names the loaders', async () => {
    const netboot = { ...(await openTree()), dhcp: null };
    const loaders = new BootLoaders(netboot, config.parse({}));
    expect(await loaders.warningsFor(createNode(), 'tftp')).toEqual([]);
    expect(await loaders.warningsFor(createNode(), 'http')).toHaveLength(1);
  });
});

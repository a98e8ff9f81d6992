import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, type PluginHost } from '@ironbark/core';
import { checkPackage } from '@ironbark/driver-testkit';
import { setUpPlugin } from '@ironbark/driver-testkit/fakes';
import { renderAutoexecScript, renderGlobalScript } from '@ironbark/netboot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import plugin, { IpxeBoot, ipxeConfig, type IpxeOptions } from '../src/index.ts';
import { openSite } from './site.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('the plugin', () => {
  it('registers its drivers and writes the scripts that firmware and DHCP name', async () => {
    const { netboot, http, directory } = await openSite();
    const { drivers } = await setUpPlugin(plugin, { services: { netboot, images: {} } });
    expect([...drivers]).toEqual([
      ['boot:ipxe', expect.any(IpxeBoot)],
      ['boot:http-ipxe', expect.any(IpxeBoot)],
    ]);
    expect(await readFile(join(http, 'boot.ipxe'), 'utf8')).toBe(renderGlobalScript().reveal());
    const autoexec = renderAutoexecScript('http://192.0.2.1:8080/boot.ipxe').reveal();
    expect(await readFile(join(http, 'autoexec.ipxe'), 'utf8')).toBe(autoexec);
    expect(await readFile(join(directory, 'tftp', 'autoexec.ipxe'), 'utf8')).toBe(autoexec);
  });

  it('copies a loader of this host into both roots', async () => {
    const { netboot, http, directory } = await openSite();
    const loader = join(await temporaryDirectory(), 'snponly.efi');
    await writeFile(loader, 'efi');
    const settings = { loaders: { 'uefi-x86_64': loader } };
    await setUpPlugin(plugin, { services: { netboot, images: {} }, settings });
    expect(await readFile(join(http, 'snponly.efi'), 'utf8')).toBe('efi');
    expect(await readFile(join(directory, 'tftp', 'snponly.efi'), 'utf8')).toBe('efi');
  });

  it.each(['boot.ipxe', 'autoexec.ipxe'])('does not let a loader take the place of %s', async (name) => {
    const { netboot, http } = await openSite();
    const loader = join(await temporaryDirectory(), name);
    await writeFile(loader, 'efi');
    const settings = { loaders: { 'uefi-x86_64': loader } };
    const setUp = setUpPlugin(plugin, { services: { netboot, images: {} }, settings });
    await expect(setUp).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(join(http, name), 'utf8')).toMatch(/^#!ipxe/);
  });

  it('writes nothing in a dry run', async () => {
    const { netboot, http } = await openSite();
    const host = {
      config: ipxeConfig.parse({}),
      log: silentLogger,
      dryRun: true,
      use: async () => netboot,
      boot: { register: () => {} },
    };
    await plugin.setup(host as unknown as PluginHost<IpxeOptions>);
    expect(await readdir(http)).toEqual([]);
  });

  it('is packaged as the loader expects', async () => {
    expect(await checkPackage(join(import.meta.dirname, '..'))).toEqual([]);
  });
});

describe('settings', () => {
  it('may be missing', () => {
    expect(ipxeConfig.parse(undefined)).toEqual({
      script: {
        attempts: 5,
        delaySeconds: 5,
        rebootDelaySeconds: 60,
        downloadTimeoutSeconds: 60,
        ibftTargets: 2,
        multipath: false,
      },
      deployRamdisk: undefined,
      kernelAppendParams: ['nofb', 'vga=normal'],
      loaders: { bios: 'undionly.kpxe', 'uefi-x86_64': 'snponly.efi' },
    });
  });

  it.each([
    ['attempts', 0],
    ['attempts', 1.5],
    ['retry_delay', 3601],
    ['ibft_targets', 0],
    ['deploy_kernel', 'file:///kernel'],
    ['deploy_kernel', 'http://a/k'],
    ['deploy_ramdisk', 'http://a/r'],
    ['kernel_append_params', 'a || shell'],
    ['kernel_append_params', 'a="b'],
    ['loaders', { bios: '../x' }],
    ['unknown', 1],
  ])('refuse %s: %j', (key, value) => {
    const { success, error } = ipxeConfig.safeParse({ [key]: value });
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toMatch(new RegExp(key.replace(/_.*/, '')));
  });

  it('have a JSON schema for editors', () => {
    expect(z.toJSONSchema(ipxeConfig, { io: 'input' })).toMatchObject({ properties: { attempts: { default: 5 } } });
  });
});

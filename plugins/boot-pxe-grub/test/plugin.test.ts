import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, type PluginHost } from '@ironbark/core';
import { checkPackage } from '@ironbark/driver-testkit';
import { setUpPlugin } from '@ironbark/driver-testkit/fakes';
import { renderMasterGrubConfig } from '@ironbark/netboot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import plugin, { grubConfig, PxeGrubBoot, type GrubSettings } from '../src/index.ts';
import { openSite } from './site.ts';

describe('the plugin', () => {
  it('registers boot:pxe and writes the configuration for all machines where GRUB looks for it', async () => {
    const { netboot, images, tftp } = await openSite();
    const { drivers } = await setUpPlugin(plugin, { services: { netboot, images } });
    expect([...drivers]).toEqual([['boot:pxe', expect.any(PxeGrubBoot)]]);
    const { menu } = grubConfig.parse({});
    for (const path of ['grub.cfg', 'grub/grub.cfg', 'boot/grub/grub.cfg']) {
      expect(await readFile(join(tftp, path), 'utf8')).toBe(renderMasterGrubConfig(menu).reveal());
    }
  });

  it('writes it beside loaders, where GRUB of Fedora and RHEL looks', async () => {
    const { netboot, images, tftp } = await openSite();
    const loaders = { 'uefi-x86_64': 'rhel/x86_64/shimx64.efi', 'uefi-arm64': null };
    await setUpPlugin(plugin, { services: { netboot, images }, settings: { loaders } });
    expect(await readFile(join(tftp, 'rhel/x86_64/grub.cfg'), 'utf8')).toContain('${net_default_mac}.conf');
  });

  it('copies loaders that are files of the host', async () => {
    const { netboot, images, tftp, directory } = await openSite();
    const loader = join(directory, 'bootx64.efi');
    await writeFile(loader, 'GRUB');
    await setUpPlugin(plugin, { services: { netboot, images }, settings: { loaders: { 'uefi-x86_64': loader } } });
    expect(await readFile(join(tftp, 'bootx64.efi'), 'utf8')).toBe('GRUB');
  });

  it('writes nothing in a dry run', async () => {
    const { netboot, images, tftp } = await openSite();
    const host = {
      config: grubConfig.parse({}),
      log: silentLogger,
      dryRun: true,
      use: async ({ name }: { readonly name: string }) => (name === 'netboot' ? netboot : images),
      boot: { register: () => {} },
    };
    await plugin.setup(host as unknown as PluginHost<GrubSettings>);
    expect(await readdir(tftp)).toEqual([]);
  });

  it('is packaged as the loader expects', async () => {
    expect(await checkPackage(join(import.meta.dirname, '..'))).toEqual([]);
  });
});

describe('settings', () => {
  it('may be missing', () => {
    expect(grubConfig.parse(undefined)).toEqual({
      menu: { menuTimeoutSeconds: 3, rebootDelaySeconds: 60 },
      kernelTransport: 'tftp',
      kernelAppendParams: ['nofb', 'vga=normal'],
      loaders: { 'uefi-x86_64': 'grubx64.efi', 'uefi-arm64': 'grubaa64.efi' },
    });
  });

  it.each([
    ['kernel_transport', 'https'],
    ['kernel_append_params', 'a="b'],
    ['kernel_append_params', "a='b"],
    ['kernel_append_params', 'a=b\\c'],
    ['menu_timeout', -1],
    ['reboot_delay', 0],
    ['loaders', { bios: 'pxelinux.0' }],
    ['loaders', { 'uefi-x86_64': '../x' }],
    ['unknown', 1],
  ])('refuse %s: %j', (key, value) => {
    const { success, error } = grubConfig.safeParse({ [key]: value });
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(key);
  });

  it('have a JSON schema for editors', () => {
    expect(z.toJSONSchema(grubConfig, { io: 'input' })).toMatchObject({ properties: { menu_timeout: { default: 3 } } });
  });
});

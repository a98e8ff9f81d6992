import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, type PluginHost } from '@ironbark/core';
import { checkPackage } from '@ironbark/driver-testkit';
import { setUpPlugin } from '@ironbark/driver-testkit/fakes';
import { renderGlobalScript } from '@ironbark/netboot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import plugin, { IpxeBoot, ipxeConfig, type IpxeOptions } from '../src/index.ts';
import { openSite } from './site.ts';

describe('the plugin', () => {
  it('registers boot:ipxe and writes the script that DHCP names', async () => {
    const { netboot, http } = await openSite();
    const { drivers } = await setUpPlugin(plugin, { services: { netboot } });
    expect([...drivers]).toEqual([['boot:ipxe', expect.any(IpxeBoot)]]);
    expect(await readFile(join(http, 'boot.ipxe'), 'utf8')).toBe(renderGlobalScript().reveal());
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

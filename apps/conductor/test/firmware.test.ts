import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, vi } from 'vitest';
import { pluginDirectory, serve } from './ironbark.ts';
import { createSite } from './site.ts';

// The command-line client takes seconds to start.
vi.setConfig({ testTimeout: 120_000 });

it('sets boot mode and Secure Boot for the real command-line client', async () => {
  const fake = { hardware: ['fake-hardware'], power: ['fake'], management: ['fake'], boot: ['fake'], deploy: ['fake'] };
  const site = createSite({
    'ironbark.yaml': {
      hostname: 'c-1',
      api: { port: 0 },
      plugins: [join(pluginDirectory, 'hardware-fake')],
      enabled: fake,
    },
  });
  const { url } = await serve(site);
  const baremetal = async (...words: readonly string[]): Promise<string> => {
    const env = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: url };
    return (await execa('openstack', ['baremetal', ...words], { env, stdin: 'ignore', timeout: 60_000 })).stdout;
  };
  const states = async (): Promise<unknown> => {
    const { boot_mode, secure_boot } = JSON.parse(await baremetal('node', 'show', 'n-1', '-f', 'json'));
    return [boot_mode, secure_boot];
  };
  await baremetal('node', 'create', '--driver', 'fake-hardware', '--name', 'n-1');
  await baremetal('node', 'boot', 'mode', 'set', 'n-1', 'uefi');
  await baremetal('node', 'secure', 'boot', 'on', 'n-1');
  const secured = await states();
  await baremetal('node', 'secure', 'boot', 'off', 'n-1');
  await baremetal('node', 'boot', 'mode', 'set', 'n-1', 'bios');
  expect([secured, await states()]).toEqual([
    ['uefi', true],
    ['bios', false],
  ]);
});

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { composeDriver, interfaceKinds, parseManifest, type DriverRegistry } from '@ironbark/core';
import { checkPackage } from '@ironbark/driver-testkit';
import { createDriver, createTask, setUpPlugin } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import plugin from '../src/index.ts';
import { fakeProperties, fakeSteps } from '../src/node-options.ts';
import { fakeSettings } from '../src/settings.ts';

const directory = fileURLToPath(new URL('..', import.meta.url));

describe('the package', () => {
  it('has nothing that keeps it from being found and loaded', async () => {
    expect(await checkPackage(directory)).toEqual([]);
  });

  it('registers the drivers that its manifest names', async () => {
    const packageJson = JSON.parse(await readFile(`${directory}/package.json`, 'utf8')) as object;
    const { drivers } = await setUpPlugin(plugin);
    expect([...drivers.keys()].sort()).toEqual([...(parseManifest('', packageJson)?.drivers.keys() ?? [])].sort());
  });

  it.each([
    ['delay_ms', { delay_ms: -1 }],
    ['failure_rate', { failure_rate: 2 }],
    ['state_directory', { state_directory: 'relative' }],
    ['delay', { delay: 1 }],
  ])('refuses settings with a wrong %s', async (key, settings) => {
    await expect(setUpPlugin(plugin, { settings })).rejects.toThrow(key);
  });
});

describe('the README', () => {
  it('names every setting, key of driver_info and step', async () => {
    const readme = await readFile(`${directory}/README.md`, 'utf8');
    const names = [...Object.keys(fakeSettings.shape), ...Object.keys(fakeProperties), ...fakeSteps];
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('hardware type fake-hardware', () => {
  async function registry(): Promise<DriverRegistry> {
    const { driver, hardwareType } = await setUpPlugin(plugin);
    const other = createDriver();
    const interfaces = {
      ...(Object.fromEntries(interfaceKinds.map((kind) => [kind, new Map([['other', other[kind]]])])) as object),
      boot: new Map([
        ['ipxe', other.boot],
        ['fake', driver('boot', 'fake')],
      ]),
      storage: new Map([
        ['external', other.storage],
        ['noop', other.storage],
      ]),
      power: new Map([['fake', driver('power', 'fake')]]),
      management: new Map([['fake', driver('management', 'fake')]]),
      deploy: new Map([
        ['volume', other.deploy],
        ['fake', driver('deploy', 'fake')],
      ]),
    } as unknown as DriverRegistry['interfaces'];
    const hardwareTypes = new Map([['fake-hardware', hardwareType('fake-hardware')]]);
    return { hardwareTypes, interfaces, defaults: {} };
  }

  it('prefers its own interfaces and no storage', async () => {
    const { names } = composeDriver(await registry(), { driver: 'fake-hardware', interfaces: {} });
    const fake = { power: 'fake', management: 'fake', boot: 'fake', deploy: 'fake' };
    expect(names).toMatchObject({ ...fake, storage: 'noop' });
  });

  it('takes any boot, storage and deploy interface that is enabled', async () => {
    const interfaces = { boot: 'ipxe', storage: 'external', deploy: 'volume' };
    const { names } = composeDriver(await registry(), { driver: 'fake-hardware', interfaces });
    expect(names).toMatchObject(interfaces);
  });

  it('validates on all its interfaces for a node with a boot volume', async () => {
    const driver = composeDriver(await registry(), { driver: 'fake-hardware', interfaces: {} });
    const task = createTask({ driver });
    await driver.boot.validate(task);
    await driver.deploy.validate(task);
    expect(driver.boot.capabilities).toEqual(expect.arrayContaining(['iscsi_volume_boot', 'ipxe_boot']));
  });
});

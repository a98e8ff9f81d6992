import { join } from 'node:path';
import { checkPackage, setUpPlugin } from '@ironbark/driver-testkit';
import { describe, expect, it } from 'vitest';
import plugin, { redfishConfig } from '../src/index.ts';

describe('the plugin', () => {
  it('is packaged as a driver', async () => {
    expect(await checkPackage(join(import.meta.dirname, '..'))).toEqual([]);
  });

  it('registers what its manifest names', async () => {
    const { drivers, shutDown } = await setUpPlugin(plugin);
    expect([...drivers.keys()].sort()).toEqual(['hardware:redfish', 'management:redfish', 'power:redfish']);
    await shutDown();
  });

  it('makes a hardware type that prefers iPXE', async () => {
    const setUp = await setUpPlugin(plugin);
    expect(setUp.hardwareType('redfish').interfaces).toMatchObject({
      power: ['redfish'],
      management: ['redfish'],
      boot: ['ipxe'],
    });
    await setUp.shutDown();
  });
});

describe('the settings', () => {
  it('have defaults', () => {
    expect(redfishConfig.parse(undefined)).toEqual({
      patience: {
        connectTimeoutMs: 10_000,
        requestTimeoutMs: 60_000,
        attempts: 4,
        retryIntervalMs: 1000,
        settleTimeoutMs: 30_000,
        pollIntervalMs: 1000,
        taskTimeoutMs: 300_000,
      },
      power: { pollIntervalMs: 2000, attempts: 4 },
    });
  });

  it.each([{ attempts: 0 }, { attempts: 1.5 }, { request_timeout: 0 }, { timeout: 5 }])('refuse %j', (section) => {
    expect(redfishConfig.safeParse(section).success).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import {
  checkCapability,
  checkCompatibility,
  composeDriver,
  defaultInterface,
  resolveInterfaces,
  supportedInterfaces,
  type DriverRegistry,
  type HardwareType,
} from '../src/index.ts';

const part = (name: string) => ({ name, validate: () => Promise.resolve() });
const named = (...names: string[]) => new Map(names.map((name) => [name, part(name)]));

const redfish: HardwareType = {
  interfaces: { power: ['redfish'], management: ['redfish'], boot: ['vmedia', 'ipxe'] },
};
const registry = {
  hardwareTypes: new Map([['redfish', redfish]]),
  interfaces: {
    power: named('redfish', 'ipmi'),
    management: named('redfish'),
    boot: named('pxe', 'ipxe', 'vmedia'),
    storage: named('noop', 'external'),
    deploy: named('volume'),
    vendor: named('no-vendor'),
    network: named('noop'),
  },
  defaults: {},
} as unknown as DriverRegistry;
const noChoice = {};

describe('supported interfaces', () => {
  it('of a generic kind are those of the type, in its order, and then all others', () => {
    expect(supportedInterfaces(registry, redfish, 'boot')).toEqual(['vmedia', 'ipxe', 'pxe']);
  });

  it('of a kind that depends on the BMC are only those of the type', () => {
    expect(supportedInterfaces(registry, redfish, 'power')).toEqual(['redfish']);
  });

  it('of a kind that the type leaves out are all that are enabled', () => {
    expect(supportedInterfaces(registry, redfish, 'vendor')).toEqual(['no-vendor']);
  });

  it('are only those of the type where it accepts no others', () => {
    expect(supportedInterfaces(registry, { ...redfish, acceptsAny: [] }, 'boot')).toEqual(['vmedia', 'ipxe']);
  });

  it('do not include what the type names but nobody enabled', () => {
    expect(supportedInterfaces(registry, { interfaces: { power: ['ilo', 'redfish'] } }, 'power')).toEqual(['redfish']);
  });
});

describe('the interface of a node', () => {
  const choose = (changes: Partial<DriverRegistry>, boot?: string | null) => {
    return resolveInterfaces({ ...registry, ...changes }, 'redfish', boot === undefined ? noChoice : { boot }).boot;
  };

  it('is the one that its field names', () => {
    expect(choose({ defaults: { boot: 'ipxe' } }, 'pxe')).toBe('pxe');
  });

  it.each([undefined, null])('is the configured default when its field is %s', (field) => {
    expect(choose({ defaults: { boot: 'ipxe' } }, field)).toBe('ipxe');
  });

  it('is the preference of the type when there is no default', () => {
    expect(choose({})).toBe('vmedia');
  });

  it('is the preference of the type when the default does not fit the type', () => {
    expect(resolveInterfaces({ ...registry, defaults: { power: 'ipmi' } }, 'redfish', {}).power).toBe('redfish');
  });

  it('is refused when it is not enabled, naming those that are', () => {
    expect(() => choose({}, 'grub')).toThrow(
      expect.objectContaining({
        code: 'INVALID_PARAMETER',
        message: 'The boot interface "grub" is not available for hardware type redfish.',
        hint: 'Available: vmedia, ipxe, pxe.',
      }),
    );
  });

  it('is refused when it is enabled but does not fit the type', () => {
    expect(() => resolveInterfaces(registry, 'redfish', { power: 'ipmi' })).toThrow(
      /power interface "ipmi" is not available/,
    );
  });

  it('is missing when nothing of the kind is enabled', () => {
    const interfaces = { ...registry.interfaces, deploy: new Map<never, never>() };
    expect(() => resolveInterfaces({ ...registry, interfaces }, 'redfish', {})).toThrow(
      /^No deploy interface is enabled/,
    );
    expect(defaultInterface({ ...registry, interfaces }, redfish, 'deploy')).toBeUndefined();
  });
});

it('composes one interface of every kind', () => {
  const driver = composeDriver(registry, { driver: 'redfish', interfaces: { storage: 'external' } });
  expect(driver.names).toEqual({
    power: 'redfish',
    management: 'redfish',
    boot: 'vmedia',
    storage: 'external',
    deploy: 'volume',
    vendor: 'no-vendor',
    network: 'noop',
  });
  expect([driver.hardwareType, driver.storage]).toEqual(['redfish', registry.interfaces.storage.get('external')]);
});

it('refuses a hardware type that is not enabled with the text of the Bare Metal service', () => {
  expect(() => composeDriver(registry, { driver: 'ilo', interfaces: {} })).toThrow(
    expect.objectContaining({
      status: 404,
      message: 'No valid host was found. Reason: No conductor service registered which supports driver ilo.',
      hint: 'Enabled hardware types: redfish.',
    }),
  );
});

describe('capability tags', () => {
  const able = { capabilities: ['iscsi_volume_boot'] };

  it('are found where they are declared', () => {
    expect([checkCapability(able, 'iscsi_volume_boot'), checkCapability(able, 'ipxe_boot')]).toEqual([true, false]);
  });

  it.each([[{}], [undefined], [{ capabilities: [] }]])('are missing where none are declared: %j', (one) => {
    expect(checkCapability(one, 'iscsi_volume_boot')).toBe(false);
  });

  it('fit together only when every interface declares them', () => {
    expect([
      checkCompatibility([able, able], 'iscsi_volume_boot'),
      checkCompatibility([able, {}], 'iscsi_volume_boot'),
      checkCompatibility([], 'iscsi_volume_boot'),
    ]).toEqual([true, false, false]);
  });
});

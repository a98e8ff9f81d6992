import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apiVersion,
  definePlugin,
  isApiCompatible,
  isIronbarkError,
  parseApiVersion,
  parseManifest,
} from '../src/index.ts';

describe('the manifest of a plugin', () => {
  it('gives API version and drivers', () => {
    const manifest = parseManifest('@acme/x', { ironbark: { api: '1.2', drivers: { 'boot:x-1': './dist/index.js' } } });
    expect(manifest).toEqual({ api: { major: 1, minor: 2 }, drivers: new Map([['boot:x-1', './dist/index.js']]) });
  });

  it('is missing where the field is missing', () => {
    expect(parseManifest('@acme/x', {})).toBeUndefined();
  });

  it.each([
    ['null', null, 'ironbark is not an object'],
    ['without API version', { drivers: {} }, 'ironbark.api is undefined'],
    ['with a number as API version', { api: 1, drivers: {} }, 'ironbark.api is 1, not "major.minor"'],
    ['with a range as API version', { api: '^1.0', drivers: {} }, 'ironbark.api is "^1.0"'],
    ['without drivers', { api: '1.0' }, 'ironbark.drivers is not an object'],
    ['with a list of drivers', { api: '1.0', drivers: [] }, 'ironbark.drivers is not an object'],
    [
      'with an unknown kind',
      { api: '1.0', drivers: { 'bios:x': './x.js' } },
      'ironbark.drivers["bios:x"] is no driver id',
    ],
    ['with an empty name', { api: '1.0', drivers: { 'boot:': './x.js' } }, 'is no driver id'],
    ['with a name in upper case', { api: '1.0', drivers: { 'boot:X': './x.js' } }, 'is no driver id'],
    ['with an entry outside', { api: '1.0', drivers: { 'boot:x': './../x.js' } }, 'is no path inside the package'],
    ['with an absolute entry', { api: '1.0', drivers: { 'boot:x': '/x.js' } }, 'is no path inside the package'],
    ['with a bare entry', { api: '1.0', drivers: { 'boot:x': 'x.js' } }, 'is no path inside the package'],
    ['with an entry that is no text', { api: '1.0', drivers: { 'boot:x': {} } }, 'is no path inside the package'],
  ])('is refused %s', (_problem, ironbark, message) => {
    expect(() => parseManifest('@acme/x', { ironbark })).toThrow(
      expect.objectContaining({
        code: 'PLUGIN_MANIFEST_INVALID',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  it('names the package when it is refused', () => {
    expect(() => parseManifest('@acme/x', { ironbark: 1 })).toThrow(
      'package.json of @acme/x: ironbark is not an object.',
    );
  });

  it('is read or refused with PLUGIN_MANIFEST_INVALID, whatever it holds', () => {
    fc.assert(
      fc.property(fc.record({ api: fc.jsonValue(), drivers: fc.jsonValue() }, { requiredKeys: [] }), (ironbark) => {
        let outcome: unknown;
        try {
          outcome = parseManifest('@acme/x', { ironbark })?.drivers;
        } catch (error) {
          outcome = error;
        }
        expect(outcome instanceof Map || isIronbarkError(outcome, 'PLUGIN_MANIFEST_INVALID')).toBe(true);
      }),
    );
  });
});

describe('an API version', () => {
  it.each(['', '1', '1.0.0', 'v1.0', '1.', '-1.0', '1.0\n', 1, null])('is not %j', (text) => {
    expect(parseApiVersion(text)).toBeUndefined();
  });

  it.each([
    ['1.0', '1.0', true],
    ['1.0', '1.3', true],
    ['1.4', '1.3', false],
    ['2.0', '1.3', false],
    ['1.0', '2.0', false],
    ['1.10', '1.9', false],
  ])('%s on a host of %s: %j', (wanted, offered, fits) => {
    const parse = (text: string) => parseApiVersion(text) ?? { major: -1, minor: -1 };
    expect(isApiCompatible(parse(wanted), parse(offered))).toBe(fits);
  });
});

it('stamps a plugin with the API version of this copy of core', () => {
  const plugin = definePlugin({ setup: () => {} }) as unknown as Record<symbol, unknown>;
  expect(plugin[Symbol.for('ironbark.plugin')]).toBe(apiVersion);
});

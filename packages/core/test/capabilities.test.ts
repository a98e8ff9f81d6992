import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isCapabilitySet, isIronbarkError, parseCapabilities } from '../src/index.ts';
import { anyInfo } from './info-arbitrary.ts';

it.each([
  ['text', 'iscsi_boot:True,boot_mode:uefi'],
  ['text with blanks', ' iscsi_boot : True , boot_mode:uefi'],
  ['an object', { iscsi_boot: 'True', boot_mode: 'uefi' }],
])('reads capabilities that are %s', (_form, capabilities) => {
  expect([...parseCapabilities({ capabilities })]).toEqual([
    ['iscsi_boot', 'True'],
    ['boot_mode', 'uefi'],
  ]);
});

it('keeps what follows the first colon together', () => {
  expect(parseCapabilities({ capabilities: 'wwn:0x50:06' }).get('wwn')).toBe('0x50:06');
});

it.each([[{}], [{ capabilities: null }], [{ capabilities: '' }]])('has none for %j', (properties) => {
  expect(parseCapabilities(properties).size).toBe(0);
});

it.each([['iscsi_boot'], ['a:b,iscsi_boot'], [':True'], ['a:b,'], [['a:b']], [7]])('refuses %j', (capabilities) => {
  expect(() => parseCapabilities({ capabilities })).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('properties.capabilities') as string,
    }),
  );
});

it.each(['1', 't', 'T', 'true', 'TRUE', 'on', 'y', 'Yes'])('counts %s as set', (text) => {
  expect(isCapabilitySet(new Map([['iscsi_boot', text]]), 'iscsi_boot')).toBe(true);
});

it.each(['0', 'false', 'no', '', 'truely', 'enabled'])('counts %j as not set', (text) => {
  expect(isCapabilitySet(new Map([['iscsi_boot', text]]), 'iscsi_boot')).toBe(false);
});

it('counts a missing capability as not set', () => {
  expect(isCapabilitySet(new Map(), 'iscsi_boot')).toBe(false);
});

it('counts a boolean of an object', () => {
  expect(isCapabilitySet(parseCapabilities({ capabilities: { iscsi_boot: true } }), 'iscsi_boot')).toBe(true);
});

it('reads back the text of every set of capabilities', () => {
  const word = fc.stringMatching(/^[a-z0-9_]{1,10}$/);
  fc.assert(
    fc.property(fc.dictionary(word, word, { noNullPrototype: true }), (given) => {
      const text = Object.entries(given)
        .map((pair) => pair.join(':'))
        .join(',');
      expect(Object.fromEntries(parseCapabilities({ capabilities: text }))).toEqual(given);
    }),
  );
});

it('answers any properties with capabilities or an INVALID_PARAMETER', () => {
  fc.assert(
    fc.property(anyInfo(['capabilities']), (properties) => {
      let outcome: unknown;
      try {
        outcome = parseCapabilities(properties);
      } catch (error) {
        outcome = error;
      }
      expect(outcome instanceof Map || isIronbarkError(outcome, 'INVALID_PARAMETER')).toBe(true);
    }),
  );
});

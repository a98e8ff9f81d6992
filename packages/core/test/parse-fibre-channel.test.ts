import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isIronbarkError, parseFibreChannel, parseWwn, type Info } from '../src/index.ts';
import { anyInfo } from './info-arbitrary.ts';

const [first, second] = ['50060160b6e06522', '50060160b6e06523'] as const;
const [portA, portB] = ['10000090fa1b2c3d', '10000090fa1b2c3e'] as const;

function pathsOf(properties: Info) {
  return parseFibreChannel(properties, 'volume target 1').paths;
}

function problemOf(properties: Info): string {
  try {
    pathsOf(properties);
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return error.message;
    throw error;
  }
  return 'accepted';
}

it('reads one target with its LUN', () => {
  expect(pathsOf({ target_wwn: first, target_lun: '3' })).toEqual([{ initiatorWwpn: null, targetWwpn: first, lun: 3 }]);
});

it('gives all targets the one LUN', () => {
  expect(pathsOf({ target_wwn: [first, second], target_lun: 3 }).map(({ lun }) => lun)).toEqual([3, 3]);
});

it('gives each target its own LUN', () => {
  expect(pathsOf({ target_wwn: [first, second], target_luns: [3, 4] }).map(({ lun }) => lun)).toEqual([3, 4]);
});

it('makes one path of every pair of initiator and target', () => {
  const map = { [portA]: [first], [portB]: [first, second] };
  expect(pathsOf({ target_wwn: [first, second], target_luns: [3, 4], initiator_target_map: map })).toEqual([
    { initiatorWwpn: portA, targetWwpn: first, lun: 3 },
    { initiatorWwpn: portB, targetWwpn: first, lun: 3 },
    { initiatorWwpn: portB, targetWwpn: second, lun: 4 },
  ]);
});

it.each([
  ['no target', { target_lun: 1 }, 'Property target_wwn of volume target 1 is missing.'],
  ['no LUN', { target_wwn: first }, 'Property target_lun of volume target 1 is missing.'],
  ['a malformed name', { target_wwn: '5006', target_lun: 1 }, 'Property target_wwn of volume target 1 holds "5006"'],
  ['a malformed LUN', { target_wwn: first, target_lun: 'x' }, 'Property target_lun of volume target 1 is "x"'],
  [
    'fewer LUNs than targets',
    { target_wwn: [first, second, portA], target_luns: [1, 2] },
    'Property target_lun of volume target 1 has 2 entries for 3 targets.',
  ],
  [
    'a map that is a list',
    { target_wwn: first, target_lun: 1, initiator_target_map: [portA] },
    'Property initiator_target_map of volume target 1 is not an object.',
  ],
  [
    'an empty map',
    { target_wwn: first, target_lun: 1, initiator_target_map: {} },
    'Property initiator_target_map of volume target 1 is empty.',
  ],
  [
    'a map with a target whose LUN is not known',
    { target_wwn: [first, second], target_luns: [1, 2], initiator_target_map: { [portA]: [portB] } },
    `Property initiator_target_map of volume target 1 names target ${portB}, which target_wwn does not.`,
  ],
])('refuses %s', (_problem, properties, message) => {
  expect(problemOf(properties)).toContain(message);
});

it.each(['50:06:01:60:B6:E0:65:22', '0x50060160b6e06522', '50060160B6E06522'])(
  'reads the world wide name %s',
  (text) => {
    expect(parseWwn(text)).toBe(first);
  },
);

it('reads back every world wide name that it prints', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const wwn = parseWwn(text);
      expect(wwn === undefined || parseWwn(wwn) === wwn).toBe(true);
    }),
  );
});

it('answers any properties with a connection or an INVALID_PARAMETER', () => {
  const keys = ['target_wwn', 'target_lun', 'target_luns', 'initiator_target_map'];
  fc.assert(
    fc.property(anyInfo(keys), fc.boolean(), (properties, isComplete) => {
      const given = isComplete ? { target_wwn: first, target_lun: 1, ...properties } : properties;
      expect(problemOf(given)).toMatch(/^(?:accepted$|Property )/);
    }),
    { numRuns: 500 },
  );
});

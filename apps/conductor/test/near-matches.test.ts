import { expect, it } from 'vitest';
import { nearMatches } from '../src/config/near-matches.ts';

const known = ['file', 'key_file', 'listen', 'port', 'public_url', 'grace_seconds'];

it.each([
  ['prot', ['port']],
  ['flie', ['file', 'key_file'].slice(0, 1)],
  ['Port', ['port']],
  ['public-url', ['public_url']],
  ['keyfile', ['key_file', 'file']],
  ['grace', ['grace_seconds']],
  ['database', []],
  ['x', []],
])('for %s are %j', (name, matches) => {
  expect(nearMatches(name, known)).toEqual(matches);
});

it('are three at most', () => {
  expect(nearMatches('aaaa', ['aaab', 'aaac', 'aaad', 'aaae'])).toHaveLength(3);
});

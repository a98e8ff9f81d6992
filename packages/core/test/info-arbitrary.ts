import * as fc from 'fast-check';
import { Secret, type Info, type InfoValue } from '../src/index.ts';

const hostile = [
  '',
  ' ',
  '\n',
  '\u0000',
  '\u0024{net0/ip}',
  '|| shell',
  '../..',
  '-1',
  '1e3',
  '0x10',
  '65536',
  '__proto__',
];

const leaf: fc.Arbitrary<InfoValue> = fc.oneof(
  fc.string(),
  fc.constantFrom(...hostile),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string().map((text) => Secret.of(text)),
);

const value: fc.Arbitrary<InfoValue> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(fc.string(), leaf, { maxKeys: 3 }),
);

/** What an API client may send: any JSON under the given keys, some of them missing. */
export function anyInfo(keys: readonly string[]): fc.Arbitrary<Info> {
  return fc.subarray([...keys]).chain((present) => fc.record(Object.fromEntries(present.map((key) => [key, value]))));
}

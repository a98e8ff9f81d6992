import { Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { ipxeText, ipxeWord } from '../src/index.ts';

const refusedEverywhere: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a line feed', 'a\nb'],
  ['a carriage return', 'a\r'],
  ['NUL', 'a\0b'],
  ['a tab', 'a\tb'],
  ['DEL', 'a\u007F'],
  ['a C1 control character', 'a\u0085b'],
  ['a line separator', 'a\u2028b'],
  ['a lone surrogate', 'a\uD800b'],
  ['a setting', 'a${password}b'],
  ['the beginning of a setting', 'a${'],
  ['a backslash at the end', 'a\\'],
  ['a separator alone', '||'],
  ['another separator alone', '&&'],
  ['the third separator alone', ';'],
  ['a comment', '#a'],
];

const refusedAsText: readonly (readonly [string, string])[] = [
  ['a separator between words', 'a || b'],
  ['a semicolon between words', 'a ; b'],
  ['a comment after a word', 'a #b'],
  ['a blank in front', ' a'],
  ['a blank behind', 'a '],
  ['two blanks', 'a  b'],
  ['a no-break space', 'a\u00A0b'],
  ['256 bytes', 'ä'.repeat(128)],
];

const refusedAsWord: readonly (readonly [string, string])[] = [
  ['a blank', 'a b'],
  ['an option', '--drive'],
  ['1025 bytes', 'a'.repeat(1025)],
];

const passed: readonly (readonly [string, string])[] = [
  ['a separator inside a word', 'a||b;c&&d'],
  ['a number sign inside a word', 'a#b'],
  ['a dollar sign', 'a$b$'],
  ['braces', '{a}'],
  ['a backslash inside', 'a\\b'],
  ['quotes', `'a"b'`],
  ['letters beyond ASCII', 'pässwörd'],
];

describe('ipxeText', () => {
  it.each([...refusedEverywhere, ...refusedAsText])('refuses %s', (_, text) => {
    expect(() => ipxeText(text, 'the field')).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
  });

  it.each<readonly [string, string]>([
    ...passed,
    ['single blanks', 'a b c'],
    ['a dash in front', '-a'],
    ['255 bytes', 'a'.repeat(255)],
  ])('lets %s through unchanged', (_, text) => {
    expect(ipxeText(text, 'the field')).toBe(text);
  });

  it('gives a secret back as the same secret', () => {
    const secret = Secret.of('pass word');
    expect(ipxeText(secret, 'the field')).toBe(secret);
  });

  it('names the field and what is wrong, never the value', () => {
    const refused = () => ipxeText(Secret.of('Geheim || shell'), 'auth_password of volume target 7');
    expect(refused).toThrow('auth_password of volume target 7');
    expect(refused).toThrow('separator');
    expect(refused).not.toThrow('Geheim');
  });
});

describe('ipxeWord', () => {
  it.each([...refusedEverywhere, ...refusedAsWord])('refuses %s', (_, text) => {
    expect(() => ipxeWord(text, 'the field')).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
  });

  it.each(passed)('lets %s through unchanged', (_, text) => {
    expect(ipxeWord(text, 'the field')).toBe(text);
  });
});

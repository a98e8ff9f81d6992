import { invalidParameter, isSecret, type IronbarkError, type Secret } from '@ironbark/core';

/** Longest value of a `set` command: open-iscsi keeps CHAP names and secrets in 256 bytes, and iSCSI names have at most 223. */
export const maxTextBytes = 255;
/** Longest single word, for URLs. */
export const maxWordBytes = 1024;

const rules: readonly (readonly [problem: string, breaks: (text: string) => boolean])[] = [
  ['is empty', (text) => text === ''],
  ['holds a control character or a line break', (text) => /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)],
  ['holds "${", which iPXE would expand', (text) => text.includes('${')],
  // A backslash at the end of a line joins the next line to it.
  ['ends with a backslash', (text) => text.endsWith('\\')],
  [
    'holds a word that iPXE takes for a separator of commands',
    (text) => words(text).some((word) => ['||', '&&', ';'].includes(word)),
  ],
  [
    'holds a word that begins with "#", which iPXE takes for a comment',
    (text) => words(text).some((word) => word.startsWith('#')),
  ],
];

const textRules: typeof rules = [
  ...rules,
  ['begins or ends with a blank', (text) => text.trim() !== text],
  // iPXE joins words with one blank, so longer runs would not arrive.
  ['holds two blanks in a row or a blank other than a space', (text) => /\s\s|[^\S ]/u.test(text)],
  [`is longer than ${maxTextBytes} bytes`, (text) => Buffer.byteLength(text) > maxTextBytes],
];

const wordRules: typeof rules = [
  ...rules,
  ['holds a blank', (text) => /\s/u.test(text)],
  ['begins with "-", which iPXE takes for an option', (text) => text.startsWith('-')],
  [`is longer than ${maxWordBytes} bytes`, (text) => Buffer.byteLength(text) > maxWordBytes],
];

function words(text: string): readonly string[] {
  return text.split(/\s+/u);
}

function check<Value extends string | Secret>(value: Value, field: string, applied: typeof rules): Value {
  const given: string | Secret = value;
  const text = isSecret(given) ? given.reveal() : given;
  const broken = applied.find(([, breaks]) => breaks(text));
  if (broken !== undefined) throw inexpressible(field, broken[0]);
  return value;
}

/**
 * Lets a value through that arrives unchanged as the rest of a line after `set <name>`. iPXE has no quoting: it splits a line into
 * words, so single spaces between words survive and everything else that it would interpret is refused.
 * @param field names the value in errors, for example `auth_password of volume target 6e…`.
 * @throws INVALID_PARAMETER naming the field, never quoting the value.
 */
export function ipxeText<Value extends string | Secret>(value: Value, field: string): Value {
  return check(value, field, textRules);
}

/** Lets a value through that arrives unchanged as one word (an argument). @throws as {@link ipxeText}. */
export function ipxeWord<Value extends string | Secret>(value: Value, field: string): Value {
  return check(value, field, wordRules);
}

/** @param problem continues "The <field> …"; must not quote a secret. */
export function inexpressible(field: string, problem: string): IronbarkError {
  return invalidParameter(`The ${field} cannot be written into an iPXE script: it ${problem}.`, {
    hint: 'iPXE scripts have no quoting: choose a value without what is named here.',
  });
}

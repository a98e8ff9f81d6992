import { format, inspect } from 'node:util';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { IronbarkError, isSecret, MASK, Secret, SecretText, secretText } from '../src/index.ts';

const value = 'correct-horse';
const secret = Secret.of(value);
const script = secretText`set password ${secret}\n`;

function logged(facts: object): string {
  let text = '';
  pino({}, { write: (line: string) => (text += line) }).info(facts, 'attached');
  return text;
}

describe.each([
  ['a secret', secret, MASK],
  ['text with a secret in it', script, `set password ${MASK}\n`],
])('%s prints masked', (_what, printed, mask) => {
  it.each([
    ['string conversion', String(printed), mask],
    ['a template', `is ${printed as unknown as string}`, `is ${mask}`],
    ['JSON', JSON.parse(JSON.stringify({ chap: printed })), { chap: mask }],
    ['inspection', inspect(printed), mask],
  ])('in %s', (_where, text, expected) => {
    expect(text).toEqual(expected);
  });

  it.each([
    ['inspection of what holds it', inspect({ chap: [printed] }, { depth: 9, showHidden: true })],
    [
      'inspection that ignores custom functions',
      inspect(printed, { customInspect: false, showHidden: true, getters: true }),
    ],
    ['format', format('%s %o %O %j', printed, printed, printed, printed)],
    ['its own properties', JSON.stringify(Object.entries(printed))],
    ['a log line', logged({ chap: printed })],
    ['a log line of an error', logged({ err: new IronbarkError('INTERNAL', 'x', { details: { chap: printed } }) })],
    [
      'an error',
      inspect(new IronbarkError('INTERNAL', `at ${String(printed)}`, { details: { chap: printed } }), { depth: 9 }),
    ],
  ])('in %s', (_where, text) => {
    expect(text).not.toContain(value);
  });
});

it('gives its value only when it is revealed', () => {
  expect(secret.reveal()).toBe(value);
});

it('computes a lazy value at every reveal and not before', () => {
  let reveals = 0;
  const lazy = Secret.lazy(() => `value ${++reveals}`);
  expect([String(lazy), reveals, lazy.reveal(), reveals]).toEqual([MASK, 0, 'value 1', 1]);
});

it('is recognised across two copies of this package', () => {
  expect([isSecret({ [Symbol.for('ironbark.secret')]: true }), isSecret({}), isSecret(null)]).toEqual([
    true,
    false,
    false,
  ]);
});

it('keeps secrets inside the text that the tag makes, and reveals the whole', () => {
  expect([script.reveal(), String(script)]).toEqual([`set password ${value}\n`, `set password ${MASK}\n`]);
});

it('joins text with and without secrets', () => {
  const joined = SecretText.join([script, 'boot', secretText`lun ${1}`], '--');
  expect([joined.reveal(), String(joined)]).toEqual([
    `set password ${value}\n--boot--lun 1`,
    `set password ${MASK}\n--boot--lun 1`,
  ]);
});

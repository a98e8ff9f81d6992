import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes, explain, invalidParameter, IronbarkError, isIronbarkError, notFound } from '../src/index.ts';

describe('an error', () => {
  it('has the status of its code', () => {
    expect(new IronbarkError('NODE_LOCKED', 'x').status).toBe(409);
  });

  it('of a plugin has status 500', () => {
    expect(new IronbarkError('CINDER_QUOTA', 'x').status).toBe(500);
  });

  it('has the status that its thrower gives', () => {
    expect(new IronbarkError('CINDER_QUOTA', 'x', { status: 503 }).status).toBe(503);
  });

  it('is not retryable unless its thrower says so', () => {
    expect([invalidParameter('x').retryable, invalidParameter('x', { retryable: true }).retryable]).toEqual([
      false,
      true,
    ]);
  });

  it('keeps its cause', () => {
    const cause = new Error('socket');
    expect(new IronbarkError('BMC_UNREACHABLE', 'x', { cause }).cause).toBe(cause);
  });

  it('is recognised by its brand, with a code and without', () => {
    const foreign = { [Symbol.for('ironbark.error')]: true, code: 'NOT_FOUND' };
    expect([
      isIronbarkError(foreign),
      isIronbarkError(foreign, 'NOT_FOUND'),
      isIronbarkError(foreign, 'INTERNAL'),
    ]).toEqual([true, true, false]);
  });

  it.each([new Error('x'), null, undefined, 'x', { code: 'NOT_FOUND' }])('is not mistaken: %s', (value) => {
    expect(isIronbarkError(value)).toBe(false);
  });
});

describe('an explanation', () => {
  it.each([
    ['message and hint', new IronbarkError('INTERNAL', 'It broke.', { hint: 'Mend it.' }), 'It broke. Mend it.'],
    ['the message where there is no hint', notFound('Node', 'n-1'), 'Node n-1 could not be found.'],
    ['the message of any error', new Error('socket'), 'socket'],
    ['the text of anything else', 'aborted', 'aborted'],
  ])('is %s', (_what, error, text) => {
    expect(explain(error)).toBe(text);
  });
});

describe('docs/errors.md', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [
    ...page.matchAll(/^\| `(?<code>[A-Z_]+)` +\| (?<status>\d{3}) +\| (?<meaning>.+?) +\| (?<action>.+?) +\|$/gm),
  ];
  const documented = Object.fromEntries(rows.map(({ groups }) => [groups?.['code'], Number(groups?.['status'])]));

  it('names every code with its status, and no code that does not exist', () => {
    expect(documented).toEqual(errorCodes);
  });

  it('names each code once', () => {
    expect(rows).toHaveLength(Object.keys(errorCodes).length);
  });
});

import { Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { oneLine, retryAfterMs } from '../src/index.ts';

describe('a text of a service', () => {
  it('becomes one line without control characters', () => {
    expect(oneLine(' The fan\n is \u001B[31mmissing.\t', [])).toBe('The fan is [31mmissing.');
  });

  it('does not repeat secrets', () => {
    expect(oneLine("'hunter2' is wrong", [Secret.of('hunter2'), Secret.of('')])).toBe("'******' is wrong");
  });

  it('loses what makes an address secret', () => {
    expect(oneLine('see https://user:pw@host/x?sig=1 now', [])).toBe('see https://host/x?… now');
  });

  it('has a bounded length', () => {
    expect(oneLine('x'.repeat(1000), [])).toBe(`${'x'.repeat(600)}…`);
  });

  it('however long is cut in no time, whatever it holds', () => {
    const before = performance.now();
    expect(oneLine('://'.repeat(60_000), [])).toBe(`${'://'.repeat(200)}…`);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('Retry-After', () => {
  const after = (value: string) => retryAfterMs(new Headers({ 'retry-after': value }));

  it('may be seconds', () => expect(after('12')).toBe(12_000));

  it('may be a date', () => {
    const ms = after(new Date(Date.now() + 60_000).toUTCString()) ?? 0;
    expect(ms).toBeGreaterThan(50_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });

  it('in the past means now', () => expect(after('Mon, 01 Jan 2024 00:00:00 GMT')).toBe(0));

  it.each(['soon', '-1', '1.5', ''])('that says nothing is ignored: %j', (value) => {
    expect(after(value)).toBeUndefined();
  });

  it('may be missing', () => expect(retryAfterMs(new Headers())).toBeUndefined());
});

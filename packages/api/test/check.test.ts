import * as fc from 'fast-check';
import { Check } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { check } from '../src/schemas/check.ts';
import { coerceQuery } from '../src/schemas/coerce-query.ts';
import type { JsonSchema } from '../src/schemas/json-schema.ts';

/** TypeBox takes names such as `toString` for fields that every object has; here they are fields like others. */
const keys = fc.constantFrom('a', 'b', 'c');
const scalar = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'abc', '😀', 'aé', '1', null, true, false, 0, 1, 2, -1, 1.5, 1e300),
  fc.string({ maxLength: 6, unit: 'grapheme' }),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(keys, tie('any')),
  ),
})).any;

const type = fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'boolean', 'null');
const schema = fc.letrec<{ any: JsonSchema }>((tie) => ({
  any: fc.record(
    {
      type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
      properties: fc.dictionary(keys, tie('any'), { maxKeys: 3, noNullPrototype: true }),
      required: fc.uniqueArray(keys, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.constant(false as const), tie('any')),
      items: tie('any'),
      maxItems: fc.nat(2),
      enum: fc.array(fc.constantFrom('a', 'b', 1, null, true), { minLength: 1, maxLength: 3 }),
      minLength: fc.nat(2),
      maxLength: fc.nat(3),
      pattern: fc.constantFrom('^a', '^[a-z]*$', '^.$'),
      minimum: fc.integer({ min: -1, max: 1 }),
      maximum: fc.integer({ min: 0, max: 2 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonSchema>,
})).any;

describe('checking against a schema', () => {
  it('comes to the same result as TypeBox', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(schema, value, (one, candidate) => {
        expect(check(one, candidate, 'It') === undefined).toBe(Check(one, candidate));
      }),
      { numRuns: 400 },
    );
  });

  it.each(['toString', '__proto__', 'constructor'])('takes %s for a field only where it is one', (key) => {
    const own = Object.fromEntries([[key, 1]]);
    const known: JsonSchema = {
      properties: Object.fromEntries([[key, { type: 'string' }]]),
      additionalProperties: false,
    };
    expect(check({ required: [key] }, {}, 'It')).toBe(`It lacks the required field "${key}".`);
    expect(check({ required: [key] }, own, 'It')).toBeUndefined();
    expect(check(known, {}, 'It')).toBeUndefined();
    expect(check(known, own, 'It')).toBe(`Field "${key}" must be a string.`);
    expect(check({ additionalProperties: false }, own, 'It')).toContain('is not known here');
  });

  it('never repeats the value, which may be a secret', () => {
    const strict = {
      type: 'object',
      properties: { a: { type: 'string', pattern: '^x$', maxLength: 3, enum: ['x'] } },
    } as const;
    fc.assert(
      fc.property(fc.string({ minLength: 4, maxLength: 40 }), (secret) => {
        const marked = `hunter2${secret}`;
        expect(check(strict, { a: marked }, 'It')).not.toContain('hunter2');
        expect(check({ type: 'object' }, marked, 'It')).not.toContain('hunter2');
      }),
    );
  });
});

describe('reading a query', () => {
  const query = {
    type: 'object',
    properties: {
      flag: { type: 'boolean' },
      count: { type: 'integer' },
      list: { type: 'array', items: { type: 'string' } },
    },
    additionalProperties: false,
  } as const;

  it.each([
    ['True', true],
    ['YES', true],
    ['on', true],
    ['0', false],
    ['f', false],
  ])('takes %s for a boolean', (text, expected) => {
    expect(coerceQuery(query, { flag: text })).toEqual({ flag: expected });
  });

  it('splits lists at commas, however often they are given', () => {
    expect(coerceQuery(query, { list: 'a,b' })).toEqual({ list: ['a', 'b'] });
    expect(coerceQuery(query, { list: ['a,b', 'c'] })).toEqual({ list: ['a', 'b', 'c'] });
  });

  it.each([
    [{ count: '1.5' }, 'The query parameter "count" must be an integer.'],
    [{ count: '' }, 'The query parameter "count" must be an integer.'],
    [{ count: ['1', '2'] }, 'The query parameter "count" must be an integer.'],
    [{ flag: 'maybe' }, 'The query parameter "flag" must be true or false.'],
    [{ other: 'x' }, 'Unexpected query parameter "other".'],
    [{ toString: 'x' }, 'Unexpected query parameter "toString".'],
  ])('refuses %j', (given, message) => {
    expect(() => coerceQuery(query, given)).toThrow(message);
  });
});

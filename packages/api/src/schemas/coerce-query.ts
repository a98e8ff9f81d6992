import { invalidParameter } from '@ironbark/core';
import { check } from './check.ts';
import type { JsonSchema } from './json-schema.ts';

/** Texts that the Bare Metal API takes for booleans, in any case. */
const booleans: Readonly<Record<string, boolean>> = {
  1: true,
  t: true,
  true: true,
  on: true,
  y: true,
  yes: true,
  0: false,
  f: false,
  false: false,
  off: false,
  n: false,
  no: false,
};

/** The boolean that a text stands for; undefined for any other text. */
export function parseBoolean(text: string): boolean | undefined {
  const key = text.trim().toLowerCase();
  return Object.hasOwn(booleans, key) ? booleans[key] : undefined;
}

/**
 * Turns the texts of a query string into what the schema says they are. Lists are separated by commas.
 * @throws INVALID_PARAMETER naming the parameter and what is allowed.
 */
export function coerceQuery(schema: JsonSchema, query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const result: Record<string, unknown> = {};
  for (const key of required) {
    if (query[key] === undefined) throw invalidParameter(`The query parameter "${key}" is required.`);
  }
  for (const key in query) {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known === undefined) {
      if (additionalProperties !== false) continue;
      const names = Object.keys(properties).join(', ') || 'none';
      throw invalidParameter(`Unexpected query parameter ${JSON.stringify(key.slice(0, 64))}.`, {
        hint: `Known parameters: ${names}.`,
      });
    }
    const value = coerce(known, query[key]);
    const problem = check(known, value, `The query parameter "${key}"`);
    if (problem !== undefined) throw invalidParameter(problem);
    result[key] = value;
  }
  return result;
}

function coerce({ type }: JsonSchema, value: unknown): unknown {
  if (type === 'array') return (Array.isArray(value) ? value : [value]).flatMap(splitList);
  if (typeof value !== 'string') return value;
  if (type === 'integer') return /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value;
  return type === 'boolean' ? (parseBoolean(value) ?? value) : value;
}

function splitList(text: string): readonly string[] {
  return text.split(',').filter((item) => item !== '');
}

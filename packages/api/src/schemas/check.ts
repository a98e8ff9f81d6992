import type { JsonSchema, JsonType } from './json-schema.ts';

/**
 * Checks a value against a schema.
 * @param name what the value is called in the sentence, for example `Field "address"`.
 * @returns a sentence that names the first field which is wrong and what is allowed there; undefined when all is well. Never the value.
 */
export function check(schema: JsonSchema, value: unknown, name: string): string | undefined {
  return checkType(schema, value, name) ?? checkEnum(schema, value, name) ?? checkContent(schema, value, name);
}

function checkType(schema: JsonSchema, value: unknown, name: string): string | undefined {
  if (schema.type === undefined) return undefined;
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  if (types.some((type) => hasType(value, type))) return undefined;
  return `${name} must be ${types.map((type) => typeNames[type]).join(' or ')}.`;
}

const typeNames: Readonly<Record<JsonType, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

function hasType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'null':
      return value === null;
    case 'string':
    case 'boolean':
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkEnum(schema: JsonSchema, value: unknown, name: string): string | undefined {
  if (schema.enum === undefined || schema.enum.includes(value as string)) return undefined;
  return `${name} must be one of ${schema.enum.map((item) => JSON.stringify(item)).join(', ')}.`;
}

function checkContent(schema: JsonSchema, value: unknown, name: string): string | undefined {
  if (typeof value === 'string') return checkString(schema, value, name);
  if (typeof value === 'number') return checkNumber(schema, value, name);
  if (Array.isArray(value)) return checkItems(schema, value, name);
  return isObject(value) ? checkProperties(schema, value, name) : undefined;
}

const patterns = new Map<string, RegExp>();

function checkString(schema: JsonSchema, value: string, name: string): string | undefined {
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  if (value.length > maxLength && characters(value) > maxLength)
    return `${name} must not be longer than ${maxLength} characters.`;
  if (value.length < 2 * minLength && characters(value) < minLength)
    return minLength === 1 ? `${name} must not be empty.` : `${name} must have at least ${minLength} characters.`;
  if (pattern === undefined) return undefined;
  let expression = patterns.get(pattern);
  if (expression === undefined) patterns.set(pattern, (expression = new RegExp(pattern, 'u')));
  return expression.test(value)
    ? undefined
    : `${name} is malformed${schema.description === undefined ? '' : `: it must be ${schema.description}`}.`;
}

/** JSON Schema counts code points, of which those beyond the basic plane take two code units. */
function characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function checkNumber(schema: JsonSchema, value: number, name: string): string | undefined {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  if (value < minimum) return `${name} must be at least ${minimum}.`;
  return value > maximum ? `${name} must be at most ${maximum}.` : undefined;
}

function checkItems(schema: JsonSchema, value: readonly unknown[], name: string): string | undefined {
  if (value.length > (schema.maxItems ?? Infinity)) return `${name} must not have more than ${schema.maxItems} items.`;
  if (schema.items === undefined) return undefined;
  for (const [index, item] of value.entries()) {
    const problem = check(schema.items, item, `Item ${index} of ${decapitalise(name)}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkProperties(schema: JsonSchema, value: Record<string, unknown>, name: string): string | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  for (const key of required) {
    if (!Object.hasOwn(value, key)) return `${name} lacks the required field ${JSON.stringify(key)}.`;
  }
  for (const [key, item] of Object.entries(value)) {
    const field = `Field ${JSON.stringify(key.slice(0, shownKeyLength))}`;
    const known = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (known === undefined) continue;
    if (known === false)
      return `${field} is not known here. Known fields: ${Object.keys(properties).join(', ') || 'none'}.`;
    const problem = check(known, item, field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const shownKeyLength = 64;

function decapitalise(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

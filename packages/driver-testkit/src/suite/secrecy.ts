import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { isSecret, MASK } from '@ironbark/core';

/** Shorter texts occur by chance. */
const shortestSecret = 4;

/** Values of all secrets inside records, at any depth. */
export function secretsIn(value: unknown): readonly string[] {
  if (isSecret(value)) {
    const text = value.reveal();
    return text.length >= shortestSecret && text !== MASK ? [text] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

/** Fails when a secret can be read in the value as a log, an error message or an API reply would print it. */
export function assertHidden(what: string, value: unknown, secrets: readonly string[]): void {
  const printed = [inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity }), jsonOf(value)];
  if (typeof value === 'string' || value instanceof Error) printed.push(String(value));
  const shown = secrets.find((secret) => printed.some((text) => text.includes(secret)));
  assert.equal(shown, undefined, `${what} shows a secret`);
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

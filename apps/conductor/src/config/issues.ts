import type { z } from 'zod';
import { isTree } from './environment.ts';
import { nearMatches } from './near-matches.ts';
import { configJsonSchema } from './schema.ts';

/**
 * Says what is wrong with each key, without quoting values.
 * @param origins environment variables by the path of the key that they set.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  origins: ReadonlyMap<string, string>,
): readonly string[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], origins));
    return [`${named(path, origins)}: ${issue.message}`];
  });
}

function unknownKey(path: readonly string[], origins: ReadonlyMap<string, string>): string {
  const near = nearMatches(path.at(-1) ?? '', keysAt(configJsonSchema(), path.slice(0, -1)));
  const suggestion = near.length > 0 ? ` (did you mean ${near.join(' or ')}?)` : '';
  return `${named(path, origins)} is not known${suggestion}`;
}

function named(path: readonly string[], origins: ReadonlyMap<string, string>): string {
  const key = path.join('.');
  const origin = origins.get(key);
  return origin === undefined ? key : `${key}, set by ${origin}`;
}

/** Keys that the schema knows below a path. */
function keysAt(schema: unknown, path: readonly string[]): readonly string[] {
  if (!isTree(schema)) return [];
  const [next, ...rest] = path;
  const variants = [schema['anyOf'], schema['oneOf']].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  const inVariants = variants.flatMap((variant) => keysAt(variant, path));
  const properties = isTree(schema['properties']) ? schema['properties'] : {};
  return [...inVariants, ...(next === undefined ? Object.keys(properties) : keysAt(properties[next], rest))];
}

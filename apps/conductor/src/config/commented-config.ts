import { stringify } from 'yaml';
import { isTree, type Tree } from './environment.ts';

const width = 100;

/**
 * Writes a configuration in which every key of the schema is explained. Keys that `chosen` holds are set; the others are shown with
 * their default behind a `#`, and become effective when it is removed.
 * @param schema JSON schema of an object.
 */
export function commentedConfig(schema: Tree, chosen: Tree): string {
  return members(schema, chosen, '').join('\n');
}

function members(schema: Tree, chosen: Tree, indent: string): readonly string[] {
  const properties = isTree(schema['properties']) ? schema['properties'] : {};
  return Object.entries(properties).flatMap(([key, member]) => {
    return isTree(member) ? [''].concat(explain(member, indent), option(key, member, chosen[key], indent)) : [];
  });
}

function option(key: string, schema: Tree, value: unknown, indent: string): readonly string[] {
  if (isTree(schema['properties'])) {
    const inner = members(schema, isTree(value) ? value : {}, `${indent}  `);
    return [`${indent}${value === undefined ? '#' : ''}${key}:`, ...inner.slice(1)];
  }
  if (value !== undefined)
    return stringify({ [key]: value }, { lineWidth: width })
      .trimEnd()
      .split('\n')
      .map((line) => indent + line);
  return [`${indent}#${key}:${schema['default'] === undefined ? '' : ` ${JSON.stringify(schema['default'])}`}`];
}

function explain({ description }: Tree, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of typeof description === 'string' ? description.split(' ') : []) {
    if (line.length + 1 + word.length > width && !line.endsWith('#')) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commentedConfig } from '../src/config/commented-config.ts';
import { parseConfig } from '../src/config/load.ts';
import { configJsonSchema } from '../src/config/schema.ts';
import { siteFiles } from '../src/site-files.ts';

type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly description?: string };

interface Key {
  readonly path: readonly string[];
  readonly schema: Schema;
}

function keysOf(schema: Schema, path: readonly string[] = []): readonly Key[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    const found: readonly Key[] = [{ path: [...path, key], schema: member }];
    return found.concat(keysOf(member, [...path, key]));
  });
}

const schema = configJsonSchema() as Schema;
const files = siteFiles();

describe('the configuration of a new site', () => {
  const text = files['ironbark.yaml'] ?? '';

  it('is accepted as it is', () => {
    expect(parseConfig(parse(text), '/site').enabled).toMatchObject({
      hardware: ['redfish'],
      boot: ['ipxe'],
      deploy: ['volume', 'ramdisk'],
    });
  });

  it.each(keysOf(schema).map(({ path }) => path))('shows and explains the key %s', (...path) => {
    const indent = '  '.repeat(path.length - 1);
    expect(text).toMatch(new RegExp(`^${indent}# .+\\n${indent}#?${path.at(-1)}:`, 'm'));
  });

  it('shows the defaults: with every # of a key removed it means the same', () => {
    const all = commentedConfig(schema, {}).replaceAll(/^( *)#(?=[a-z_]+:)/gm, '$1');
    expect(parseConfig(parse(all), '/site')).toEqual(parseConfig({}, '/site'));
  });

  it('holds no section without a value, which editors would mark', () => {
    expect(Object.values(parse(text) as object)).not.toContain(null);
  });

  it('tells editors where its schema is', () => {
    const [, path = ''] = /^# yaml-language-server: \$schema=\.\/(\S+)\n/.exec(text) ?? [];
    expect(JSON.parse(files[path] ?? 'null')).toEqual(configJsonSchema());
  });
});

it.each(keysOf(schema).map(({ path, schema: { properties } }) => [path.join('.'), properties] as const))(
  'is explained in the README: %s',
  (key, properties) => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(properties === undefined ? `\`${key}\`` : `\`${key}.`);
  },
);

describe('the schema for editors', () => {
  it('describes every key', () => {
    expect(keysOf(schema).filter(({ schema: member }) => member.description === undefined)).toEqual([]);
  });

  it('refuses unknown keys', () => {
    expect(configJsonSchema()).toMatchObject({ additionalProperties: false });
  });
});

it('names the conductor and the plugins that it enables as dependencies', () => {
  const { dependencies } = JSON.parse(files['package.json'] ?? '') as { readonly dependencies: object };
  expect(Object.keys(dependencies)).toEqual([
    '@ironbark/boot-ipxe',
    '@ironbark/conductor',
    '@ironbark/core',
    '@ironbark/hardware-redfish',
    '@ironbark/storage-external',
  ]);
});

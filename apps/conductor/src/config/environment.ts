import { IronbarkError } from '@ironbark/core';
import { parse } from 'yaml';

export type Tree = { readonly [key: string]: unknown };

const prefix = 'IRONBARK_';
/** Keys at the top of the file that hold no section: they need no `__`. */
const sections = ['log', 'database', 'api', 'enabled', 'defaults', 'settings', 'conductor', 'notifications'];
const topLevelKeys = new Set(['hostname', 'conductor_group', 'state_directory', 'plugins', 'allow_api_mismatch']);

export interface Overridden {
  readonly tree: Tree;
  /** The variable that each overridden key came from, by its path with dots. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Puts `IRONBARK_<SECTION>__<KEY>=value` over the values of the file. Names are taken in lower case, `__` goes one level down, values
 * are read as YAML, so that numbers, booleans and lists (`[a, b]`) can be given. Other variables that begin with `IRONBARK_` are not
 * meant for the configuration, but for one whose name begins with a section and a single `_`, which is a slip.
 * @throws CONFIG_INVALID for a value that is no YAML and for such a slip, naming the variable.
 */
export function overrideFromEnvironment(file: Tree, environment: NodeJS.ProcessEnv): Overridden {
  const origins = new Map<string, string>();
  let tree = file;
  for (const [name, text] of Object.entries(environment)) {
    const path = pathOf(name);
    if (path === undefined || text === undefined) continue;
    const [key, ...rest] = path;
    const { value, keys } = replace(tree, [key, ...rest], parseValue(name, text));
    tree = value;
    origins.set(keys.join('.'), name);
  }
  return { tree, origins };
}

function pathOf(name: string): readonly [string, ...string[]] | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const [first = '', ...rest] = name.slice(prefix.length).toLowerCase().split('__');
  const isSlip = rest.length === 0 && !topLevelKeys.has(first);
  const section = sections.find((one) => isSlip && first.startsWith(`${one}_`));
  if (section !== undefined) {
    const meant = `${prefix}${section.toUpperCase()}__${first.slice(section.length + 1).toUpperCase()}`;
    throw new IronbarkError('CONFIG_INVALID', `The environment variable ${name} is no setting.`, {
      hint: `Did you mean ${meant}, with two underscores?`,
    });
  }
  return rest.length > 0 || topLevelKeys.has(first) ? [first, ...rest] : undefined;
}

function parseValue(name: string, text: string): unknown {
  try {
    return parse(text) ?? '';
  } catch (cause) {
    throw new IronbarkError('CONFIG_INVALID', `The environment variable ${name} holds no YAML value.`, {
      hint: 'Put quotes around text with special characters.',
      cause,
    });
  }
}

/** Sets a value in a copy. A key that differs only in `-`, `_` and case from one in the file is that key. */
function replace(
  tree: Tree,
  [key, ...rest]: readonly [string, ...string[]],
  value: unknown,
): { readonly value: Tree; readonly keys: readonly string[] } {
  const known = Object.keys(tree).find((other) => other.toLowerCase().replaceAll('-', '_') === key) ?? key;
  const [next, ...further] = rest;
  if (next === undefined) return { value: { ...tree, [known]: value }, keys: [known] };
  const below = replace(isTree(tree[known]) ? tree[known] : {}, [next, ...further], value);
  return { value: { ...tree, [known]: below.value }, keys: [known, ...below.keys] };
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

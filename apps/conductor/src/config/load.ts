import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { IronbarkError } from '@ironbark/core';
import { parse, YAMLParseError } from 'yaml';
import { isTree, overrideFromEnvironment, type Tree } from './environment.ts';
import { describeIssues } from './issues.ts';
import { configSchema, type ParsedConfig } from './schema.ts';
import { readSecretFiles } from './secret-files.ts';

export const configFileName = 'ironbark.yaml';

/** A site's configuration, complete and checked. Paths are absolute, times in milliseconds. */
export type Config = Omit<ParsedConfig, 'hostname' | 'state_directory' | 'conductor_group' | 'allow_api_mismatch'> & {
  readonly siteDirectory: string;
  readonly hostname: string;
  readonly conductorGroup: string;
  readonly stateDirectory: string;
  readonly allowApiMismatch: readonly string[];
};

/**
 * Reads `ironbark.yaml` of a site, with overrides from the environment.
 * @throws CONFIG_INVALID naming the file, every wrong key, and for unknown keys the ones that may have been meant.
 */
export function loadConfig(siteDirectory: string, environment: NodeJS.ProcessEnv = process.env): Config {
  const site = resolve(siteDirectory);
  return parseConfig(readConfigFile(join(site, configFileName)), site, environment);
}

/** As {@link loadConfig}, of a value that holds what the file would. */
export function parseConfig(content: unknown, siteDirectory: string, environment: NodeJS.ProcessEnv = {}): Config {
  const file = join(siteDirectory, configFileName);
  const given = content ?? {};
  if (!isTree(given)) throw invalid(`${file} holds no sections.`, 'Write it as `section:` with `key: value` below.');
  const { tree, origins } = overrideFromEnvironment(withoutNulls(given), environment);
  const result = configSchema.safeParse(withSecrets(tree, siteDirectory));
  if (!result.success) {
    const problems = describeIssues(result.error.issues, origins);
    throw invalid(
      `The configuration in ${file} is wrong: ${problems.join('; ')}.`,
      'Correct it; `ironbark config schema` lists all keys with their meaning.',
    );
  }
  return resolvePaths(result.data, siteDirectory);
}

function readConfigFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw code === 'ENOENT'
      ? invalid(`There is no ${file}.`, 'Make a site with `ironbark init DIR`, or name another one with --site.', cause)
      : invalid(`${file} cannot be read: ${code}.`, 'Make it readable for the conductor.', cause);
  }
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    // The rest of the message quotes the file, which may hold credentials.
    const [problem = ''] = cause.message.split('\n');
    throw invalid(`${file} is no YAML: ${problem.replace(/:$/, '')}.`, 'Correct the line.', cause);
  }
}

/** Only these sections hold credentials. */
function withSecrets(tree: Tree, siteDirectory: string): Tree {
  const { api, settings } = tree;
  return {
    ...tree,
    ...(isTree(api) ? { api: { ...api, auth: readSecretFiles(api['auth'], siteDirectory, 'api.auth') } } : {}),
    settings: readSecretFiles(settings, siteDirectory, 'settings'),
  };
}

/** A section of which every line is commented out is an empty one. */
function withoutNulls(tree: Tree): Tree {
  const entries = Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    if (value === null) return [];
    return [[key, isTree(value) && key !== 'settings' ? withoutNulls(value) : value]];
  });
  return Object.fromEntries(entries);
}

function resolvePaths(parsed: ParsedConfig, siteDirectory: string): Config {
  const inSite = (path: string) => resolve(siteDirectory, path);
  const { hostname: name, conductor_group, state_directory, allow_api_mismatch, ...sections } = parsed;
  const { database, api } = sections;
  return {
    ...sections,
    siteDirectory,
    hostname: name ?? hostname(),
    conductorGroup: conductor_group,
    stateDirectory: inSite(state_directory),
    allowApiMismatch: allow_api_mismatch,
    database: { file: inSite(database.file), keyFile: inSite(database.keyFile) },
    api: { ...api, auth: resolveAuthPaths(api.auth, inSite) },
  };
}

function resolveAuthPaths(auth: ParsedConfig['api']['auth'], inSite: (path: string) => string): typeof auth {
  if (auth.strategy === 'http_basic') return { ...auth, htpasswd: inSite(auth.htpasswd) };
  if (auth.strategy !== 'keystone' || typeof auth.session.verifyCa !== 'string') return auth;
  return { ...auth, session: { ...auth.session, verifyCa: inSite(auth.session.verifyCa) } };
}

function invalid(message: string, hint: string, cause?: unknown): IronbarkError {
  return new IronbarkError('CONFIG_INVALID', message, { hint, cause });
}

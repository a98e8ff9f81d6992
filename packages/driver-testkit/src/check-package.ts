import { readFile, stat } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { apiVersion, explain, isApiCompatible, parseApiVersion, parseManifest } from '@ironbark/core';

/** Something in a plugin package that keeps it from being found, loaded or installed as it should. */
export interface PackageProblem {
  /** Where it is: a key of package.json, with dots, or a file. */
  readonly where: string;
  /** What is wrong and what to do, as sentences. */
  readonly problem: string;
}

export interface CheckPackageOptions {
  /**
   * Whether the package has been built. When it has not, an entry counts as present if its source is: a file that another condition
   * of the same export leads to. Default: false.
   */
  readonly built?: boolean;
}

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly type?: unknown;
  readonly license?: unknown;
  readonly exports?: unknown;
  readonly files?: unknown;
  readonly keywords?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly ironbark?: unknown;
}

const core = '@ironbark/core';
const keyword = 'ironbark-driver';

/**
 * Checks the package.json of a plugin: the `ironbark` field, that its entries exist, are exported and published, that core is a
 * peer, and the keyword by which people find it. Runs none of the plugin's code.
 * @returns the problems; empty when there are none.
 */
export async function checkPackage(
  directory: string,
  options: CheckPackageOptions = {},
): Promise<readonly PackageProblem[]> {
  const read = await readPackageJson(directory);
  if ('problem' in read) return [read];
  const { packageJson } = read;
  return [
    ...checkFacts(packageJson),
    ...checkDependencies(packageJson),
    ...(await checkManifest(directory, packageJson, options.built ?? false)),
  ];
}

async function readPackageJson(directory: string): Promise<{ packageJson: PackageJson } | PackageProblem> {
  const where = 'package.json';
  let text: string;
  try {
    text = await readFile(join(directory, where), 'utf8');
  } catch (error) {
    return { where, problem: `It cannot be read: ${explain(error)}. Give the directory of the package.` };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { packageJson: value };
    return { where, problem: 'It is not an object.' };
  } catch (error) {
    return { where, problem: `It is not JSON: ${explain(error)}.` };
  }
}

function checkFacts({ name, version, type, license, keywords, exports }: PackageJson): readonly PackageProblem[] {
  const problems: PackageProblem[] = [];
  const require = (isGood: boolean, where: string, problem: string) => {
    if (!isGood) problems.push({ where, problem });
  };
  require(typeof name === 'string' && name !== '', 'name', 'It is missing.');
  require(typeof version === 'string' && version !== '', 'version', 'It is missing.');
  require(typeof license === 'string', 'license', 'It is missing. Give an SPDX identifier, for example "Apache-2.0".');
  require(type === 'module', 'type', 'It is not "module". Plugins are ECMAScript modules.');
  require(Array.isArray(keywords) &&
    keywords.includes(keyword), 'keywords', `"${keyword}" is missing. People search the registry for it.`);
  const isReachable = typeof exports !== 'object' || exports === null || './package.json' in exports;
  require(isReachable, 'exports', '"./package.json" is missing. Tools read the manifest through it.');
  return problems;
}

function checkDependencies({ dependencies, peerDependencies }: PackageJson): readonly PackageProblem[] {
  const problems: PackageProblem[] = [];
  if (peerDependencies?.[core] === undefined) {
    const problem = `${core} is missing. Name it as a peer, so that the plugin runs with the conductor's copy.`;
    problems.push({ where: 'peerDependencies', problem });
  }
  if (dependencies?.[core] !== undefined) {
    const problem = `${core} is listed. Move it to peerDependencies (and devDependencies): a plugin must not bring its own copy.`;
    problems.push({ where: 'dependencies', problem });
  }
  return problems;
}

async function checkManifest(
  directory: string,
  packageJson: PackageJson,
  built: boolean,
): Promise<readonly PackageProblem[]> {
  let manifest: ReturnType<typeof parseManifest>;
  try {
    manifest = parseManifest(String(packageJson.name), packageJson);
  } catch (error) {
    return [{ where: 'ironbark', problem: explain(error) }];
  }
  if (manifest === undefined) {
    const problem = `It is missing. Write { "api": "${apiVersion}", "drivers": { "<interface>:<name>": "./dist/index.js" } }.`;
    return [{ where: 'ironbark', problem }];
  }
  const problems: PackageProblem[] = [];
  if (manifest.drivers.size === 0) problems.push({ where: 'ironbark.drivers', problem: 'It names no driver.' });
  const offered = parseApiVersion(apiVersion);
  if (offered !== undefined && !isApiCompatible(manifest.api, offered)) {
    const problem = `The installed ${core} offers ${apiVersion}, which is not compatible. Install a matching ${core}.`;
    problems.push({ where: 'ironbark.api', problem });
  }
  for (const [id, entry] of manifest.drivers) {
    const found = await checkEntry(directory, packageJson, entry, built);
    problems.push(...found.map((problem) => ({ where: `ironbark.drivers["${id}"]`, problem })));
  }
  return problems;
}

async function checkEntry(
  directory: string,
  { exports, files }: PackageJson,
  entry: string,
  built: boolean,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const exported = exportsOf(exports).find((targets) => targets.includes(entry));
  if (exported === undefined) problems.push(`Entry ${entry} is no target of "exports". Export it, for example as ".".`);
  const candidates = built ? [entry] : [entry, ...(exported ?? [])];
  const isPresent = await Promise.all(candidates.map((path) => isFile(join(directory, path))));
  if (!isPresent.includes(true))
    problems.push(`Entry ${entry} does not exist. Build the package, or correct the path.`);
  if (!isPublished(entry, files)) problems.push(`Entry ${entry} is not covered by "files" and would not be published.`);
  return problems;
}

/** The targets of each export, whatever the condition; declarations are none. */
function exportsOf(exports: unknown): readonly (readonly string[])[] {
  const targetsOf = (value: unknown): readonly string[] => {
    if (typeof value === 'string') return value.endsWith('.d.ts') ? [] : [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targetsOf) : [];
  };
  if (typeof exports !== 'object' || exports === null) return [targetsOf(exports)];
  const isSubpathMap = Object.keys(exports).some((key) => key.startsWith('.'));
  return isSubpathMap ? Object.values(exports).map(targetsOf) : [targetsOf(exports)];
}

/** Without `files` npm publishes everything. */
function isPublished(entry: string, files: unknown): boolean {
  if (!Array.isArray(files)) return true;
  const path = entry.replace(/^\.\//, '');
  return files.some((pattern) => {
    const plain = String(pattern)
      .replace(/^\.?\//, '')
      .replace(/\/$/, '');
    return path === plain || path.startsWith(`${plain}/`) || matchesGlob(path, plain);
  });
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

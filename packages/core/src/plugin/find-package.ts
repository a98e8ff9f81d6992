import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A package.json as far as the loader reads it; nothing in it has been checked. */
export interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly dependencies?: unknown;
  readonly optionalDependencies?: unknown;
  readonly exports?: unknown;
  readonly ironbark?: unknown;
}

export interface InstalledPackage {
  /** Without symbolic links: one package is one directory however it was linked. */
  readonly directory: string;
  readonly packageJson: PackageJson;
}

/** Whether an entry of the plugin list is a path and not a package name. */
export function isPath(nameOrPath: string): boolean {
  return /^\.{1,2}(?:\/|$)|^file:/.test(nameOrPath) || isAbsolute(nameOrPath);
}

/**
 * Finds a package the way a module in the site directory would import it. Resolution starts at the site and never at this
 * module: with isolated layouts the conductor does not see what the operator installed.
 * @returns undefined when it is not installed.
 * @throws SyntaxError when its package.json is no JSON.
 */
export function findPackage(siteDirectory: string, nameOrPath: string): InstalledPackage | undefined {
  const manifest = isPath(nameOrPath)
    ? join(toPath(siteDirectory, nameOrPath), 'package.json')
    : locate(nameOrPath, siteDirectory);
  const packageJson = manifest === undefined ? undefined : readPackageJson(manifest);
  return manifest === undefined || packageJson === undefined
    ? undefined
    : { directory: realpathSync(dirname(manifest)), packageJson };
}

/** @returns undefined when there is no such file. @throws SyntaxError when it is no JSON object. */
export function readPackageJson(file: string): PackageJson | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new SyntaxError('package.json holds no object');
}

function toPath(siteDirectory: string, text: string): string {
  return text.startsWith('file:') ? fileURLToPath(text) : resolve(siteDirectory, text);
}

/** `findPackageJSON` needs no entry in the package's `exports`, unlike `require.resolve`; Node marks it as in development. */
function locate(name: string, siteDirectory: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(join(siteDirectory, 'package.json')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

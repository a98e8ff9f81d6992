import { join } from 'node:path';
import { explain, IronbarkError, isIronbarkError } from '../errors.ts';
import { apiVersion, isApiCompatible, parseApiVersion, type ApiVersion } from './api-version.ts';
import { findPackage, isPath, readPackageJson, type InstalledPackage, type PackageJson } from './find-package.ts';
import { parseManifest } from './manifest.ts';

export type CandidateState = 'usable' | 'missing' | 'invalid' | 'incompatible';

/** A package that is, or claims to be, a plugin. Known from its manifest alone: none of its code has run. */
export interface PluginCandidate {
  readonly packageName: string;
  readonly version: string | null;
  /** Null when the package is missing. */
  readonly directory: string | null;
  /** `major.minor` of the plugin API that the manifest names; null when it could not be read. */
  readonly api: string | null;
  /** Driver ids to the entries that provide them. */
  readonly drivers: ReadonlyMap<string, string>;
  readonly state: CandidateState;
  /** Why the plugin cannot be used; null when it can. */
  readonly reason: IronbarkError | null;
  readonly warnings: readonly string[];
  /** Whether the operator lets the plugin run although its API version does not fit. */
  readonly allowApiMismatch: boolean;
}

export interface DiscoverOptions {
  /** Package names, or paths relative to the site. Default: the dependencies in the site's package.json. */
  readonly plugins?: readonly string[] | undefined;
  /** Packages whose API version is not enforced. */
  readonly allowApiMismatch?: readonly string[] | undefined;
}

/**
 * Lists the plugins of a site by reading manifests: of the packages that are named, else of the `dependencies` and
 * `optionalDependencies` in the site's package.json. Dependencies that are no plugins are left out.
 * @throws CONFIG_INVALID when the site's own package.json cannot be read.
 */
export function discoverPlugins(siteDirectory: string, options: DiscoverOptions = {}): readonly PluginCandidate[] {
  const named = options.plugins !== undefined;
  const wanted = options.plugins ?? dependenciesOf(siteDirectory);
  const allowed = new Set(options.allowApiMismatch);
  const candidates = wanted.flatMap((nameOrPath) => inspect(siteDirectory, nameOrPath, named, allowed) ?? []);
  return candidates.filter(({ directory }, index) => {
    return directory === null || candidates.findIndex((other) => other.directory === directory) === index;
  });
}

function dependenciesOf(siteDirectory: string): readonly string[] {
  const file = join(siteDirectory, 'package.json');
  try {
    const { dependencies, optionalDependencies } = readPackageJson(file) ?? {};
    return [...new Set([...keysOf(dependencies), ...keysOf(optionalDependencies)])];
  } catch (cause) {
    throw new IronbarkError('CONFIG_INVALID', `${file} could not be read: ${explain(cause)}.`, {
      hint: 'Correct the file; `ironbark init` writes a working one into an empty directory.',
      cause,
    });
  }
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function inspect(
  siteDirectory: string,
  nameOrPath: string,
  named: boolean,
  allowed: ReadonlySet<string>,
): PluginCandidate | undefined {
  let found: InstalledPackage | undefined;
  try {
    found = findPackage(siteDirectory, nameOrPath);
  } catch (cause) {
    return broken(nameOrPath, 'invalid', invalidManifest(`package.json of ${nameOrPath}: ${explain(cause)}.`, cause));
  }
  if (found === undefined) return broken(nameOrPath, 'missing', missing(siteDirectory, nameOrPath));
  const packageName = textOf(found.packageJson.name) ?? nameOrPath;
  const facts = { packageName, version: textOf(found.packageJson.version), directory: found.directory };
  try {
    const manifest = parseManifest(packageName, found.packageJson);
    if (manifest === undefined) {
      if (!named) return undefined;
      throw invalidManifest(`package.json of ${packageName}: the field ironbark is missing, so it is no plugin.`);
    }
    const allowApiMismatch = allowed.has(packageName);
    const reason = allowApiMismatch ? null : checkApi(packageName, facts.version, manifest.api);
    return {
      ...facts,
      api: `${manifest.api.major}.${manifest.api.minor}`,
      drivers: manifest.drivers,
      state: reason === null ? 'usable' : 'incompatible',
      reason,
      warnings: warningsAbout(packageName, found.packageJson),
      allowApiMismatch,
    };
  } catch (error) {
    if (!isIronbarkError(error)) throw error;
    return { ...broken(packageName, 'invalid', error), ...facts };
  }
}

function broken(packageName: string, state: CandidateState, reason: IronbarkError): PluginCandidate {
  const unknown = { version: null, directory: null, api: null, drivers: new Map<string, string>() };
  return { packageName, ...unknown, state, reason, warnings: [], allowApiMismatch: false };
}

function checkApi(packageName: string, version: string | null, wanted: ApiVersion): IronbarkError | null {
  const offered = parseApiVersion(apiVersion) as ApiVersion;
  if (isApiCompatible(wanted, offered)) return null;
  const isNewer = wanted.major > offered.major || (wanted.major === offered.major && wanted.minor > offered.minor);
  return new IronbarkError(
    'PLUGIN_API_MISMATCH',
    `Plugin ${packageName} ${version ?? '(no version)'} is made for plugin API ${wanted.major}.${wanted.minor}, ` +
      `this conductor offers ${apiVersion}.`,
    {
      hint: isNewer
        ? `Upgrade the conductor, or install an older version of ${packageName}.`
        : `Install a version of ${packageName} for plugin API ${offered.major}.x.`,
    },
  );
}

function warningsAbout(packageName: string, packageJson: PackageJson): readonly string[] {
  if (!keysOf(packageJson.dependencies).includes('@ironbark/core')) return [];
  return [
    `${packageName} lists @ironbark/core under dependencies and may bring its own copy; ` +
      'its author should list it under peerDependencies.',
  ];
}

function missing(siteDirectory: string, nameOrPath: string): IronbarkError {
  return new IronbarkError('PLUGIN_LOAD_FAILED', `Package ${nameOrPath} is not installed in ${siteDirectory}.`, {
    hint: isPath(nameOrPath)
      ? 'Correct the path; it is relative to the site directory and leads to the directory of a package.json.'
      : 'Run `npm install` there, or take it out of the list.',
  });
}

function invalidManifest(message: string, cause?: unknown): IronbarkError {
  return new IronbarkError('PLUGIN_MANIFEST_INVALID', message, {
    hint: 'Install another version of the package, or tell its author.',
    cause,
  });
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IronbarkError, isIronbarkError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { parseApiVersion } from './api-version.ts';
import { attributeError } from './attribute-error.ts';
import { pluginBrand, type Plugin } from './define-plugin.ts';
import type { PluginCandidate } from './discover.ts';
import { readPackageJson } from './find-package.ts';

/**
 * Imports one entry of a plugin and checks that it is what its manifest says.
 * @throws PLUGIN_LOAD_FAILED when it cannot be imported or exports no plugin; PLUGIN_API_MISMATCH when the copy of core that it runs
 *   with has another major version than the manifest claims.
 */
export async function importEntry(candidate: PluginCandidate, entry: string, log: Logger): Promise<Plugin> {
  const { packageName, directory } = candidate;
  const url = pathToFileURL(entryFile(directory ?? '', entry)).href;
  let exported: unknown;
  try {
    ({ default: exported } = (await import(/* @vite-ignore */ url)) as { readonly default?: unknown });
  } catch (cause) {
    throw attributeError(`${entry} of plugin ${packageName} cannot be imported`, cause, {
      code: 'PLUGIN_LOAD_FAILED',
      hint: `Reinstall ${packageName}, or take its drivers out of enabled.`,
    });
  }
  if (!isPlugin(exported)) {
    throw new IronbarkError('PLUGIN_LOAD_FAILED', `${entry} of ${packageName} exports no plugin by default.`, {
      hint: 'Its author has to export the result of definePlugin() by default.',
    });
  }
  checkStamp(candidate, exported[pluginBrand], log);
  return exported;
}

/**
 * Imports all entries of a plugin without setting it up.
 * @returns what is wrong with the first one that cannot be imported; null when nothing is, or when the plugin cannot be used anyway.
 */
export async function checkEntries(candidate: PluginCandidate, log: Logger): Promise<IronbarkError | null> {
  if (candidate.state !== 'usable') return null;
  try {
    for (const entry of new Set(candidate.drivers.values())) await importEntry(candidate, entry, log);
    return null;
  } catch (error) {
    if (isIronbarkError(error)) return error;
    throw error;
  }
}

function isPlugin(value: unknown): value is Plugin {
  return (
    typeof value === 'object' &&
    value !== null &&
    pluginBrand in value &&
    'setup' in value &&
    typeof value.setup === 'function'
  );
}

/** The manifest is what the plugin claims, the stamp is what it really runs with. */
function checkStamp({ packageName, api, allowApiMismatch }: PluginCandidate, stamp: string, log: Logger): void {
  if (parseApiVersion(stamp)?.major === parseApiVersion(api)?.major) return;
  const problem = `Plugin ${packageName} claims plugin API ${api}, but runs with a copy of @ironbark/core of API ${stamp}.`;
  if (allowApiMismatch) {
    log.warn({ plugin: packageName, api, stamp }, `${problem} It is loaded because the configuration allows it.`);
    return;
  }
  throw new IronbarkError('PLUGIN_API_MISMATCH', problem, {
    hint: `Reinstall ${packageName}; its peer dependency @ironbark/core has to be the conductor's.`,
  });
}

/**
 * A checkout of this repository runs without a build: when this module is a source file, a plugin that names its sources under the
 * condition `@ironbark/source` is loaded from them. Installed packages hold no sources.
 */
function entryFile(directory: string, entry: string): string {
  const built = join(directory, entry);
  if (!import.meta.url.endsWith('.ts')) return built;
  const { exports } = readPackageJson(join(directory, 'package.json')) ?? {};
  for (const target of Object.values(exports ?? {})) {
    const { default: path, '@ironbark/source': source } = target as Record<string, unknown>;
    const file = path === entry && typeof source === 'string' ? join(directory, source) : undefined;
    if (file !== undefined && existsSync(file)) return file;
  }
  return built;
}

import { IronbarkError } from '../errors.ts';
import { interfaceKinds } from '../driver/kinds.ts';
import { parseApiVersion, type ApiVersion } from './api-version.ts';

/** The `ironbark` field of a plugin's package.json. */
export interface PluginManifest {
  readonly api: ApiVersion;
  /** Driver ids (`boot:ipxe`, `hardware:redfish`) to the entry that provides them, relative to the package. */
  readonly drivers: ReadonlyMap<string, string>;
}

const driverId = new RegExp(`^(?:hardware|${interfaceKinds.join('|')}):[a-z0-9][a-z0-9._-]*$`);

/**
 * Reads the `ironbark` field of a package.json.
 * @returns undefined when the field is missing: the package is no plugin.
 * @throws PLUGIN_MANIFEST_INVALID naming the package and the key.
 */
export function parseManifest(
  packageName: string,
  packageJson: { readonly ironbark?: unknown },
): PluginManifest | undefined {
  const field = packageJson.ironbark;
  if (field === undefined) return undefined;
  if (typeof field !== 'object' || field === null) throw invalid(packageName, 'ironbark', 'is not an object');
  const { api, drivers } = field as Record<string, unknown>;
  const version = parseApiVersion(api);
  if (version === undefined) throw invalid(packageName, 'ironbark.api', `is ${JSON.stringify(api)}, not "major.minor"`);
  if (typeof drivers !== 'object' || drivers === null || Array.isArray(drivers)) {
    throw invalid(packageName, 'ironbark.drivers', 'is not an object');
  }
  const entries = Object.entries(drivers).map(([id, entry]): [string, string] => {
    if (!driverId.test(id)) throw invalid(packageName, `ironbark.drivers["${id}"]`, 'is no driver id');
    if (typeof entry !== 'string' || !entry.startsWith('./') || entry.split('/').includes('..')) {
      throw invalid(packageName, `ironbark.drivers["${id}"]`, 'is no path inside the package');
    }
    return [id, entry];
  });
  return { api: version, drivers: new Map(entries) };
}

function invalid(packageName: string, key: string, problem: string): IronbarkError {
  return new IronbarkError('PLUGIN_MANIFEST_INVALID', `package.json of ${packageName}: ${key} ${problem}.`, {
    hint: 'Write it like { "api": "1.0", "drivers": { "boot:example": "./dist/index.js" } }; ids are "<interface>:<name>" or "hardware:<type>".',
  });
}

import { IronbarkError } from '../errors.ts';
import type { PluginCandidate } from './discover.ts';

/** Name by which the configuration chooses a driver of the conductor itself: `storage:noop#builtin`. */
export const builtinPackage = 'builtin';

/** Who provides an enabled driver. */
export interface DriverChoice {
  readonly id: string;
  /** A package, `builtin`, or null when nobody can provide the driver. */
  readonly provider: PluginCandidate | typeof builtinPackage | null;
  /** Why there is no provider; null when there is one. */
  readonly error: IronbarkError | null;
}

/**
 * Decides for every enabled driver which package provides it.
 * @param enabled driver ids; `boot:ipxe#@acme/x` chooses one of several packages that provide the driver.
 * @returns one choice per id, in the order given. Errors are PLUGIN_DRIVER_CONFLICT naming all providers, DRIVER_NOT_FOUND, or the
 *   reason why the only provider cannot be used.
 */
export function chooseProviders(
  candidates: readonly PluginCandidate[],
  enabled: readonly string[],
  builtinIds: Iterable<string> = [],
): readonly DriverChoice[] {
  const builtin = new Set(builtinIds);
  const packagesById = new Map<string, Set<string>>();
  for (const text of enabled) {
    const [id = '', packageName] = text.split(/#(.*)/s);
    const packages = packagesById.get(id) ?? new Set();
    if (packageName !== undefined) packages.add(packageName);
    packagesById.set(id, packages);
  }
  return [...packagesById].map(([id, packages]) => {
    const providers = candidates.filter(({ drivers }) => drivers.has(id));
    const names = [...(builtin.has(id) ? [builtinPackage] : []), ...providers.map(({ packageName }) => packageName)];
    const chosen = packages.size === 0 ? names : names.filter((name) => packages.has(name));
    const [name] = chosen;
    if (packages.size > 1 || chosen.length > 1) return failed(id, conflict(id, names));
    if (name === undefined) return failed(id, notFound(id, [...packages][0], names, candidates, builtin));
    if (name === builtinPackage) return { id, provider: builtinPackage, error: null };
    const provider = providers.find(({ packageName }) => packageName === name) as PluginCandidate;
    return provider.reason === null ? { id, provider, error: null } : failed(id, provider.reason);
  });
}

function failed(id: string, error: IronbarkError): DriverChoice {
  return { id, provider: null, error };
}

function conflict(id: string, names: readonly string[]): IronbarkError {
  const [kind, name = ''] = id.split(/:(.*)/s);
  return new IronbarkError('PLUGIN_DRIVER_CONFLICT', `The driver ${id} is provided by ${names.join(' and by ')}.`, {
    hint: `Choose one in enabled.${kind}: "${name}#${names[0]}" or "${name}#${names[1]}".`,
  });
}

function notFound(
  id: string,
  packageName: string | undefined,
  names: readonly string[],
  candidates: readonly PluginCandidate[],
  builtin: ReadonlySet<string>,
): IronbarkError {
  const [kind = ''] = id.split(':');
  const from = packageName === undefined ? 'by no installed plugin' : `not by ${packageName}`;
  const known = [...builtin, ...candidates.flatMap(({ drivers }) => [...drivers.keys()])];
  const ofKind = [...new Set(known)].filter((other) => other.startsWith(`${kind}:`)).sort();
  const unusable = candidates.flatMap(({ packageName: name, state }) => {
    return state === 'missing' || state === 'invalid' ? [`${name} (${state})`] : [];
  });
  const hints = [
    names.length > 0
      ? `It is provided by ${names.join(', ')}.`
      : `Install the plugin that provides it in the site directory, or take it out of enabled.${kind}.`,
    `Installed: ${ofKind.join(', ') || `no ${kind} driver`}.`,
    ...(unusable.length > 0 ? [`Cannot be used, see \`ironbark plugins\`: ${unusable.join(', ')}.`] : []),
  ];
  return new IronbarkError('DRIVER_NOT_FOUND', `The driver ${id} is enabled, but provided ${from}.`, {
    hint: hints.join(' '),
  });
}

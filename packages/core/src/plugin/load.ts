import type { DriverRegistry } from '../driver/compose.ts';
import { interfaceKinds } from '../driver/kinds.ts';
import type { Hooks } from '../hooks.ts';
import { builtinPackage, chooseProviders } from './choose-providers.ts';
import type { Plugin } from './define-plugin.ts';
import type { PluginCandidate } from './discover.ts';
import { importEntry } from './entry.ts';
import { PluginSetup, type NeededEntry, type SetupOptions } from './plugin-setup.ts';
import { driverKinds } from './registration.ts';

export interface LoadOptions extends SetupOptions {
  /** Ids of the drivers to load, in the order of preference; `boot:ipxe#@acme/x` chooses a package. */
  readonly enabled: readonly string[];
  /** Drivers that come with the conductor, by id. */
  readonly builtin?: Readonly<Record<string, unknown>>;
  readonly defaults?: DriverRegistry['defaults'];
}

export interface LoadedPlugins {
  readonly registry: DriverRegistry;
  readonly hooks: Hooks;
  /** Names of the packages that were set up. */
  readonly packages: readonly string[];
  /** Runs the plugins' shutdown functions, then disposes the services, each in reverse order. Failures are logged. */
  dispose(): Promise<void>;
}

/**
 * Imports and sets up the plugins that provide an enabled driver; the others are not touched.
 * @throws DRIVER_NOT_FOUND, PLUGIN_DRIVER_CONFLICT, PLUGIN_API_MISMATCH, PLUGIN_MANIFEST_INVALID, PLUGIN_LOAD_FAILED or CONFIG_INVALID
 *   when an enabled driver cannot be had. What had been set up by then is disposed.
 */
export async function loadPlugins(
  candidates: readonly PluginCandidate[],
  options: LoadOptions,
): Promise<LoadedPlugins> {
  const { log, builtin = {} } = options;
  const choices = chooseProviders(candidates, options.enabled, Object.keys(builtin));
  for (const { error } of choices) if (error !== null) throw error;
  const drivers = new Map<string, unknown>();
  for (const { id, provider } of choices) drivers.set(id, provider === builtinPackage ? builtin[id] : undefined);

  const needed = candidates.flatMap((candidate) => {
    return neededEntries(
      candidate,
      choices.flatMap(({ id, provider }) => (provider === candidate ? id : [])),
    );
  });
  const plugins = await Promise.all(needed.map(({ candidate, entry }) => importEntry(candidate, entry, log)));
  const setup = new PluginSetup(options);
  try {
    for (const [index, entry] of needed.entries()) {
      const registered = await setup.run(plugins[index] as Plugin, entry);
      for (const id of entry.enabled) drivers.set(id, registered.get(id));
    }
  } catch (error) {
    await setup.dispose();
    throw error;
  }
  setup.reportUnreadSettings();
  return {
    registry: toRegistry(drivers, options.defaults ?? {}),
    hooks: setup.hooks,
    packages: [...new Set(needed.map(({ candidate }) => candidate.packageName))],
    dispose: () => setup.dispose(),
  };
}

function neededEntries(candidate: PluginCandidate, enabled: readonly string[]): readonly NeededEntry[] {
  const entries = [...new Set(enabled.map((id) => candidate.drivers.get(id) as string))];
  return entries.map((entry) => {
    return { candidate, entry, enabled: enabled.filter((id) => candidate.drivers.get(id) === entry) };
  });
}

function toRegistry(drivers: ReadonlyMap<string, unknown>, defaults: DriverRegistry['defaults']): DriverRegistry {
  const ofKind = (kind: string) =>
    new Map(
      [...drivers].flatMap(([id, value]) => (id.startsWith(`${kind}:`) ? [[id.slice(kind.length + 1), value]] : [])),
    );
  const [hardwareTypes, ...interfaces] = driverKinds.map(ofKind);
  return {
    hardwareTypes,
    interfaces: Object.fromEntries(interfaceKinds.map((kind, index) => [kind, interfaces[index]])),
    defaults,
  } as unknown as DriverRegistry;
}

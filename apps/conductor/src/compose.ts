import { discoverPlugins, loadPlugins, type LoadedPlugins, type Logger } from '@ironbark/core';
import { builtinDrivers, createEngine, type RunningEngine } from '@ironbark/engine';
import { openSqliteStore, type Store } from '@ironbark/store';
import type { Config } from './config/load.ts';
import { enabledDrivers } from './drivers.ts';
import { logNotifications } from './notification-log.ts';

export interface ComposeOptions {
  readonly log: Logger;
  /** Tells the URL of the API as machines reach it; null when they cannot. */
  readonly apiUrl: () => Promise<string | null>;
  /** Reads the database and loads the plugins without letting them write or listen. Default: false. */
  readonly dryRun?: boolean;
  /**
   * For short work beside a conductor that may be running: as a dry run, but node locks can be taken, under this name, and what belongs
   * to a locked node can be written. Default: none.
   */
  readonly besideAs?: string;
}

export interface ComposedConductor {
  readonly store: Store;
  readonly plugins: LoadedPlugins;
  /** Has not been started. */
  readonly engine: RunningEngine;
  /** Ends what was opened, in reverse order. The engine has to be stopped before. */
  dispose(): Promise<void>;
}

/**
 * Puts a conductor together: store, plugins, engine.
 * @throws as the store and the plugin loader do; what had been opened by then is closed.
 */
export async function composeConductor(config: Config, options: ComposeOptions): Promise<ComposedConductor> {
  const { log, apiUrl, besideAs } = options;
  const dryRun = options.dryRun === true || besideAs !== undefined;
  const role = besideAs === undefined ? (dryRun ? 'reader' : 'conductor') : 'beside';
  const store = await openSqliteStore({ ...config.database, role });
  try {
    const plugins = await loadEnabledPlugins(config, log, dryRun);
    logNotifications(plugins.hooks, config.notifications, log);
    const { registry, hooks } = plugins;
    const { graceMs: _grace, ...limits } = config.conductor;
    const engine = createEngine({
      hostname: besideAs ?? config.hostname,
      conductorGroup: config.conductorGroup,
      store,
      registry,
      hooks,
      log,
      apiUrl,
      ...limits,
    });
    return {
      store,
      plugins,
      engine,
      async dispose() {
        await plugins.dispose();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function loadEnabledPlugins(config: Config, log: Logger, dryRun: boolean): Promise<LoadedPlugins> {
  const { siteDirectory, plugins, allowApiMismatch, stateDirectory, settings } = config;
  const defaults = Object.fromEntries(Object.entries(config.defaults).filter(([, name]) => name !== undefined));
  return loadPlugins(discoverPlugins(siteDirectory, { plugins, allowApiMismatch }), {
    enabled: enabledDrivers(config),
    builtin: builtinDrivers,
    defaults,
    settings,
    log,
    stateDirectory,
    dryRun,
  });
}

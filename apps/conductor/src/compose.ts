import { discoverPlugins, loadPlugins, type LoadedPlugins, type Logger } from '@ironbark/core';
import { builtinDrivers, createEngine, type RunningEngine } from '@ironbark/engine';
import { openSqliteStore, type Store } from '@ironbark/store';
import type { Config } from './config/load.ts';
import { enabledDrivers } from './drivers.ts';
import { logNotifications } from './notification-log.ts';

export interface ComposeOptions {
  readonly log: Logger;
  /** URL of the API as machines reach it; null when they cannot. */
  readonly apiUrl: string | null;
  /** Reads the database and loads the plugins without letting them write or listen. Default: false. */
  readonly dryRun?: boolean;
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
  const { log, apiUrl, dryRun = false } = options;
  const store = await openSqliteStore({ ...config.database, readOnly: dryRun });
  try {
    const plugins = await loadEnabledPlugins(config, log, dryRun);
    logNotifications(plugins.hooks, config.notifications, log);
    const { registry, hooks } = plugins;
    const {
      workers,
      lockLeaseMs,
      lockWaitMs,
      powerTimeoutMs,
      softPowerTimeoutMs,
      stepTimeoutMs,
      heartbeatTimeoutSeconds,
    } = config.conductor;
    const engine = createEngine({
      hostname: config.hostname,
      conductorGroup: config.conductorGroup,
      store,
      registry,
      hooks,
      log,
      apiUrl,
      workers,
      lockLeaseMs,
      lockWaitMs,
      powerTimeoutMs,
      softPowerTimeoutMs,
      stepTimeoutMs,
      heartbeatTimeoutSeconds,
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

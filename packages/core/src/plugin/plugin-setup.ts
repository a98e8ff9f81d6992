import { createHooks, type Hooks } from '../hooks.ts';
import type { Logger } from '../logger.ts';
import { attributeError } from './attribute-error.ts';
import type { Plugin, PluginHost } from './define-plugin.ts';
import type { PluginCandidate } from './discover.ts';
import { hooksForPlugin } from './plugin-hooks.ts';
import { Registration } from './registration.ts';
import { ServiceContainer } from './service-container.ts';
import { Settings } from './settings.ts';

export interface SetupOptions {
  /** Sections of plugins and services. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  /** Where services keep their files. */
  readonly stateDirectory: string;
  /** As `dryRun` of the plugin host. Default: false. */
  readonly dryRun?: boolean;
}

/** One entry of a plugin that provides at least one enabled driver. */
export interface NeededEntry {
  readonly candidate: PluginCandidate;
  readonly entry: string;
  readonly enabled: readonly string[];
}

/** What plugins share while they are set up, and what is undone at shutdown. */
export class PluginSetup {
  readonly hooks: Hooks = createHooks();
  readonly #log: Logger;
  readonly #settings: Settings;
  readonly #services: ServiceContainer;
  readonly #dryRun: boolean;
  readonly #shutdown: { readonly packageName: string; readonly run: () => void | Promise<void> }[] = [];

  constructor({ log, settings, stateDirectory, dryRun = false }: SetupOptions) {
    this.#log = log;
    this.#settings = new Settings(settings);
    this.#services = new ServiceContainer({ settings: this.#settings, log, stateDirectory, dryRun });
    this.#dryRun = dryRun;
  }

  /** Sets one plugin up. @returns the drivers that it registered. */
  async run(plugin: Plugin, { candidate, entry, enabled }: NeededEntry): Promise<ReadonlyMap<string, unknown>> {
    const { packageName, drivers, warnings } = candidate;
    for (const warning of warnings) this.#log.warn({ plugin: packageName }, warning);
    if (candidate.allowApiMismatch) {
      this.#log.warn({ plugin: packageName, api: candidate.api }, `The API version of ${packageName} is not enforced.`);
    }
    const claimed = new Set([...drivers].flatMap(([id, path]) => (path === entry ? id : [])));
    const registration = new Registration(packageName, claimed);
    const config = await this.#configOf(plugin, packageName);
    try {
      await plugin.setup({ ...registration.registrars(), ...this.#host(packageName), config });
    } catch (cause) {
      throw attributeError(`Plugin ${packageName} failed in its setup`, cause, {
        code: 'PLUGIN_LOAD_FAILED',
        hint: `See the documentation of ${packageName}, or take its drivers out of enabled.`,
      });
    }
    return registration.close(enabled);
  }

  reportUnreadSettings(): void {
    for (const section of this.#settings.unread()) {
      this.#log.warn({ section }, `settings.${section} is read by no plugin that is loaded.`);
    }
  }

  async dispose(): Promise<void> {
    for (const { packageName, run } of this.#shutdown.splice(0).toReversed()) {
      try {
        await run();
      } catch (error) {
        this.#log.error({ plugin: packageName, err: error }, `Plugin ${packageName} failed in its shutdown.`);
      }
    }
    await this.#services.dispose();
  }

  #configOf(plugin: Plugin, packageName: string): Promise<unknown> {
    if (plugin.section === undefined) return Promise.resolve();
    return this.#settings.section(plugin.section, plugin.config, packageName);
  }

  #host(packageName: string): Pick<PluginHost<unknown>, 'log' | 'hooks' | 'dryRun' | 'use' | 'onShutdown'> {
    const log = this.#log.child({ plugin: packageName });
    return {
      log,
      hooks: hooksForPlugin(this.hooks, packageName, log),
      dryRun: this.#dryRun,
      use: (token) => this.#services.use(token),
      onShutdown: (run) => this.#shutdown.push({ packageName, run }),
    };
  }
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { HardwareType } from '../driver/driver.ts';
import type { InterfaceTypes } from '../driver/interfaces.ts';
import type { InterfaceKind } from '../driver/kinds.ts';
import type { Logger } from '../logger.ts';
import { apiVersion } from './api-version.ts';
import type { PluginHooks } from './plugin-hooks.ts';
import type { ServiceToken } from './service.ts';

export const pluginBrand = Symbol.for('ironbark.plugin');

/** What a plugin author hands to {@link definePlugin}. */
export interface PluginDefinition<Config> {
  /** Key of the plugin's section under `settings` in the configuration. Default: the plugin has no settings. */
  readonly section?: string;
  /** Schema of that section (zod, or any Standard Schema). Validated before `setup`; errors name the key. */
  readonly config?: StandardSchemaV1<unknown, Config>;
  /** Registers the drivers that the manifest names, and taps hooks. */
  setup(host: PluginHost<Config>): void | Promise<void>;
}

/** A plugin value as the loader finds it: the default export of a plugin's entry. */
export interface Plugin<Config = unknown> extends PluginDefinition<Config> {
  /** API version of the copy of core that the plugin really runs with. */
  readonly [pluginBrand]: string;
}

/** What a plugin gets to work with. */
export interface PluginHost<Config> {
  readonly config: Config;
  readonly log: Logger;
  readonly hooks: PluginHooks;
  /** As {@link ServiceHost.dryRun}. Default: false. */
  readonly dryRun?: boolean;
  readonly hardware: Registrar<HardwareType>;
  readonly power: Registrar<InterfaceTypes['power']>;
  readonly management: Registrar<InterfaceTypes['management']>;
  readonly boot: Registrar<InterfaceTypes['boot']>;
  readonly storage: Registrar<InterfaceTypes['storage']>;
  readonly deploy: Registrar<InterfaceTypes['deploy']>;
  readonly vendor: Registrar<InterfaceTypes['vendor']>;
  readonly network: Registrar<InterfaceTypes['network']>;
  /** A service that plugins share, made at first use and disposed at shutdown. */
  use<Service>(token: ServiceToken<Service>): Promise<Service>;
  /** Called at shutdown, in reverse order of registration. */
  onShutdown(dispose: () => void | Promise<void>): void;
}

export interface Registrar<Value> {
  /** @param name the part of the driver id after the colon. */
  register(name: string, value: Value): void;
}

export type DriverKind = InterfaceKind | 'hardware';

/** Makes a plugin of a definition and stamps it with the API version that it was built against. */
export function definePlugin<Config = undefined>(definition: PluginDefinition<Config>): Plugin<Config> {
  return { ...definition, [pluginBrand]: apiVersion };
}

import {
  createHooks,
  invalidParameter,
  silentLogger,
  type DriverKind,
  type HardwareType,
  type Hooks,
  type InterfaceTypes,
  type Logger,
  type Plugin,
  type PluginHost,
  type Registrar,
  type ServiceToken,
} from '@ironbark/core';

export interface SetUpOptions {
  /** The plugin's section of the configuration, as the operator would write it. Default: empty. */
  readonly settings?: unknown;
  /** Services that the plugin may use, by the name of their token. Default: none. */
  readonly services?: Readonly<Record<string, unknown>>;
  readonly log?: Logger;
}

/** What a plugin did when it was set up. */
export interface SetUpPlugin {
  /** Driver ids as the manifest writes them, to what the plugin registered. */
  readonly drivers: ReadonlyMap<string, unknown>;
  readonly hooks: Hooks;
  /** @throws TypeError when the plugin registered no such driver. */
  readonly driver: <Kind extends keyof InterfaceTypes>(kind: Kind, name: string) => InterfaceTypes[Kind];
  /** @throws TypeError when the plugin registered no such hardware type. */
  readonly hardwareType: (name: string) => HardwareType;
  /** Runs what the plugin gave to `onShutdown`, the last first. */
  readonly shutDown: () => Promise<void>;
}

/**
 * Sets a plugin up the way the conductor does: settings are validated, drivers collected.
 * @throws INVALID_PARAMETER when the plugin's schema refuses the settings.
 */
export async function setUpPlugin<Config>(plugin: Plugin<Config>, options: SetUpOptions = {}): Promise<SetUpPlugin> {
  const drivers = new Map<string, unknown>();
  const disposals: (() => void | Promise<void>)[] = [];
  const hooks = createHooks();
  const registrar = <Value>(kind: DriverKind): Registrar<Value> => ({
    register(name, value) {
      const id = `${kind}:${name}`;
      if (drivers.has(id)) throw new TypeError(`The plugin registers ${id} twice.`);
      drivers.set(id, value);
    },
  });
  const host: PluginHost<Config> = {
    config: await validated(plugin, options.settings ?? {}),
    log: options.log ?? silentLogger,
    hooks,
    hardware: registrar('hardware'),
    power: registrar('power'),
    management: registrar('management'),
    boot: registrar('boot'),
    storage: registrar('storage'),
    deploy: registrar('deploy'),
    vendor: registrar('vendor'),
    network: registrar('network'),
    use: <Service>(token: ServiceToken<Service>) => {
      const service = options.services?.[token.name];
      if (service !== undefined) return Promise.resolve(service as Service);
      return Promise.reject(new TypeError(`The plugin uses service ${token.name}, which the test does not provide.`));
    },
    onShutdown: (dispose) => void disposals.push(dispose),
  };
  await plugin.setup(host);
  const find = (id: string): unknown => {
    if (drivers.has(id)) return drivers.get(id);
    throw new TypeError(`The plugin does not register ${id}; it registers ${[...drivers.keys()].join(', ')}.`);
  };
  return {
    drivers,
    hooks,
    driver: <Kind extends keyof InterfaceTypes>(kind: Kind, name: string) =>
      find(`${kind}:${name}`) as InterfaceTypes[Kind],
    hardwareType: (name) => find(`hardware:${name}`) as HardwareType,
    async shutDown() {
      for (const dispose of disposals.toReversed()) await dispose();
    },
  };
}

async function validated<Config>(plugin: Plugin<Config>, settings: unknown): Promise<Config> {
  if (plugin.config === undefined) return undefined as Config;
  const result = await plugin.config['~standard'].validate(settings);
  if (result.issues === undefined) return result.value;
  const problems = result.issues.map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return `${path === '' ? 'the section' : path}: ${issue.message}`;
  });
  throw invalidParameter(`Settings of ${plugin.section ?? 'the plugin'}: ${problems.join('; ')}.`);
}

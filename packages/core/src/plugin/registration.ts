import { IronbarkError } from '../errors.ts';
import { interfaceKinds } from '../driver/kinds.ts';
import type { DriverKind, PluginHost, Registrar } from './define-plugin.ts';

export const driverKinds: readonly DriverKind[] = ['hardware', ...interfaceKinds];

/** What a driver of each kind cannot do without; optional members are those of the interfaces with a `?`. */
const requiredMembers: Readonly<Record<DriverKind, readonly string[]>> = {
  hardware: ['interfaces'],
  power: ['validate', 'getPowerState', 'setPowerState'],
  management: ['validate', 'supportedBootDevices', 'getBootDevice', 'setBootDevice'],
  boot: ['validate', 'render', 'apply', 'cleanUp'],
  storage: ['validate', 'attach', 'detach', 'shouldWriteImage', 'plan'],
  deploy: ['validate', 'deploy', 'cleanUp'],
  vendor: ['validate', 'methods'],
  network: ['validate', 'configureInstanceNetworks', 'removeInstanceNetworks'],
};

type Registrars = Pick<PluginHost<unknown>, DriverKind>;

/** Takes the drivers that one entry of a plugin registers, and holds them against what the manifest claims for that entry. */
export class Registration {
  readonly #packageName: string;
  readonly #claimed: ReadonlySet<string>;
  readonly #drivers = new Map<string, unknown>();
  #isOpen = true;

  constructor(packageName: string, claimed: ReadonlySet<string>) {
    this.#packageName = packageName;
    this.#claimed = claimed;
  }

  registrars(): Registrars {
    const registrars = driverKinds.map((kind): [DriverKind, Registrar<unknown>] => {
      return [kind, { register: (name, value) => this.#register(kind, name, value) }];
    });
    return Object.fromEntries(registrars) as unknown as Registrars;
  }

  /**
   * Ends the registration.
   * @throws PLUGIN_LOAD_FAILED when a driver of `enabled` was not registered.
   */
  close(enabled: readonly string[]): ReadonlyMap<string, unknown> {
    this.#isOpen = false;
    const absent = enabled.filter((id) => !this.#drivers.has(id));
    if (absent.length === 0) return this.#drivers;
    throw this.#fault(`claims ${absent.join(', ')} in its manifest, but did not register it`);
  }

  #register(kind: DriverKind, name: string, value: unknown): void {
    const id = `${kind}:${name}`;
    if (!this.#isOpen) throw this.#fault(`registered ${id} after its setup had ended`);
    if (!this.#claimed.has(id)) throw this.#fault(`registered ${id}, which its manifest does not claim for this entry`);
    if (this.#drivers.has(id)) throw this.#fault(`registered ${id} twice`);
    const missing = requiredMembers[kind].filter(
      (member) => typeof value !== 'object' || value === null || !(member in value),
    );
    if (missing.length > 0) throw this.#fault(`registered a value without ${missing.join(', ')} as ${id}`);
    this.#drivers.set(id, value);
  }

  #fault(problem: string): IronbarkError {
    return new IronbarkError('PLUGIN_LOAD_FAILED', `Plugin ${this.#packageName} ${problem}.`, {
      hint: `Install another version of ${this.#packageName}, or tell its author.`,
    });
  }
}

import type { RedfishConnection } from './connection.ts';
import { RedfishClient, type RedfishClientOptions } from './redfish-client.ts';

interface PooledClient {
  readonly connection: RedfishConnection;
  readonly client: RedfishClient;
  users: number;
  isRetired: boolean;
}

/**
 * Clients that nodes share: one for each BMC and user, with one session. A connection with other credentials or another CA takes
 * the place of the one before, which is closed as soon as nobody works with it any more.
 */
export class RedfishClientPool {
  readonly #options: RedfishClientOptions;
  readonly #clients = new Map<string, PooledClient>();
  /** Retired clients that somebody still works with. */
  readonly #retired = new Set<PooledClient>();
  readonly #warned = new Set<string>();

  constructor(options: RedfishClientOptions) {
    this.#options = options;
  }

  /** Runs work with the client of a connection. */
  async use<T>(connection: RedfishConnection, work: (client: RedfishClient) => Promise<T>): Promise<T> {
    const pooled = this.#take(connection);
    pooled.users += 1;
    try {
      return await work(pooled.client);
    } finally {
      pooled.users -= 1;
      if (pooled.isRetired && pooled.users === 0) await this.#dispose(pooled);
    }
  }

  /** Logs out everywhere. Work that still goes on fails. */
  async close(): Promise<void> {
    const all = [...this.#clients.values(), ...this.#retired];
    this.#clients.clear();
    this.#retired.clear();
    await Promise.all(all.map(({ client }) => client.close()));
  }

  #take(connection: RedfishConnection): PooledClient {
    const key = `${connection.address} ${connection.credentials?.username ?? ''}`;
    const known = this.#clients.get(key);
    if (known !== undefined && isSame(known.connection, connection)) return known;
    if (known !== undefined) this.#retire(known);
    this.#warn(connection);
    const pooled = { connection, client: new RedfishClient(connection, this.#options), users: 0, isRetired: false };
    this.#clients.set(key, pooled);
    return pooled;
  }

  #retire(pooled: PooledClient): void {
    pooled.isRetired = true;
    this.#retired.add(pooled);
    if (pooled.users === 0) void this.#dispose(pooled);
  }

  async #dispose(pooled: PooledClient): Promise<void> {
    await pooled.client.close();
    this.#retired.delete(pooled);
  }

  #warn({ address, verifyCa }: RedfishConnection): void {
    const isPlain = address.startsWith('http:');
    if ((!isPlain && verifyCa !== false) || this.#warned.has(address)) return;
    this.#warned.add(address);
    const problem = isPlain ? 'is used without TLS' : 'is used without verification of its TLS certificate';
    this.#options.log.warn({ bmc: address }, `The BMC ${problem}: its password can be read on the network.`);
  }
}

function isSame(left: RedfishConnection, right: RedfishConnection): boolean {
  return (
    left.verifyCa === right.verifyCa &&
    left.authType === right.authType &&
    left.credentials?.password.reveal() === right.credentials?.password.reveal()
  );
}

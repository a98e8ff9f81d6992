import { setTimeout as sleep } from 'node:timers/promises';
import ky, { isHTTPError, type KyInstance } from 'ky';

const stateTimeoutMs = 120_000;
const pollMs = 200;

interface NodeState {
  readonly provision_state: string;
  readonly last_error: string | null;
}

/** The few calls of the Bare Metal API that the demo makes. */
export class BareMetalApi {
  readonly #http: KyInstance;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#http = ky.create({
      baseUrl: `${url}/`,
      headers: { 'X-OpenStack-Ironic-API-Version': '1.80' },
      retry: 0,
      signal,
    });
  }

  /** @returns the record that was created. */
  async create(resource: string, body: object): Promise<{ readonly uuid: string }> {
    return this.#asked(() => this.#http.post(`v1/${resource}`, { json: body }).json());
  }

  async get<Body>(path: string): Promise<Body> {
    return this.#asked(() => this.#http.get(path).json());
  }

  /** Asks for a provision verb and waits for the state that it leads to. @throws with `last_error` when it leads elsewhere. */
  async provision(nodeUuid: string, target: string, wanted: string): Promise<void> {
    await this.#asked(() => this.#http.put(`v1/nodes/${nodeUuid}/states/provision`, { json: { target } }));
    const deadline = Date.now() + stateTimeoutMs;
    for (;;) {
      const { provision_state: state, last_error: lastError } = await this.get<NodeState>(`v1/nodes/${nodeUuid}`);
      if (state === wanted) return;
      if (lastError !== null) throw new Error(lastError);
      if (Date.now() > deadline) throw new Error(`The node is still in state "${state}".`);
      await sleep(pollMs, undefined, { signal: this.#signal });
    }
  }

  async delete(path: string): Promise<void> {
    await this.#asked(() => this.#http.delete(path));
  }

  async #asked<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      this.#signal.throwIfAborted();
      if (isHTTPError(error)) throw new Error(`${error.message}\n${JSON.stringify(error.data)}`, { cause: error });
      throw error;
    }
  }
}

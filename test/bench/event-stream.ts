import { get, type ClientRequest } from 'node:http';

interface StateEvent {
  readonly node_uuid: string;
  readonly data: { readonly provision_state?: string };
}

/** Follows the conductor's event stream, so that waiting for a state costs the conductor no polling. */
export class ProvisionStates {
  readonly #waiting = new Map<
    string,
    { readonly wanted: string; readonly resolve: () => void; readonly reject: (error: Error) => void }
  >();
  readonly #request: ClientRequest;

  private constructor(request: ClientRequest) {
    this.#request = request;
  }

  static async follow(url: string): Promise<ProvisionStates> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = get(new URL('/ironbark/v1/events', url), (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) states.#receive(block);
      });
      resolve();
    }).on('error', reject);
    const states = new ProvisionStates(request);
    await promise;
    return states;
  }

  /** Settles when the node reaches the state; fails when it ends in a failed one. Call it before asking for the change. */
  reached(nodeUuid: string, wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(nodeUuid, { wanted, resolve, reject });
    });
  }

  close(): void {
    this.#request.on('error', () => {}).destroy();
  }

  #receive(block: string): void {
    const data = block.split('\n').find((line) => line.startsWith('data: '));
    if (data === undefined) return;
    const event = JSON.parse(data.slice('data: '.length)) as StateEvent;
    const waiter = this.#waiting.get(event.node_uuid);
    const state = event.data.provision_state;
    if (waiter === undefined || state === undefined) return;
    if (state === waiter.wanted) waiter.resolve();
    else if (state === 'error' || state.endsWith(' failed'))
      waiter.reject(new Error(`Node ${event.node_uuid} is in state ${state}.`));
    else return;
    this.#waiting.delete(event.node_uuid);
  }
}

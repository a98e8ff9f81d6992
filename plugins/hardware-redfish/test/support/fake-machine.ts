import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const systemPath = '/redfish/v1/Systems/1';
const resetPath = `${systemPath}/Actions/ComputerSystem.Reset`;

export interface MachineBehaviour {
  readonly allowedResets?: readonly string[];
  readonly boot?: Record<string, unknown>;
  readonly manufacturer?: string;
}

/** `drop`: the connection is closed instead of an answer. */
export type ResetAnswer = number | 'drop';

/**
 * A BMC of one system without authentication, on the loopback interface. It does nothing by itself: a test says what the power
 * state is at each look, and what becomes of each reset.
 */
export class FakeMachine implements AsyncDisposable {
  /** Method and path of every request. */
  readonly requests: string[] = [];
  readonly resets: string[] = [];
  readonly patches: unknown[] = [];
  powerState: string | null = 'Off';
  /** Called before each look at the system, with its number from 1. */
  onLook: (nth: number) => void = () => {};
  /** Called with each reset; what it returns is the status of the answer. */
  onReset: (resetType: string, nth: number) => ResetAnswer = () => 204;
  /** Status of each look at the system. */
  lookStatus = 200;
  looks = 0;
  readonly #behaviour: MachineBehaviour;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(behaviour: MachineBehaviour) {
    this.#behaviour = behaviour;
  }

  static async start(behaviour: MachineBehaviour = {}): Promise<FakeMachine> {
    const machine = new FakeMachine(behaviour);
    machine.#server.listen(0, '127.0.0.1');
    await once(machine.#server, 'listening');
    return machine;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    this.requests.push(`${request.method} ${request.url}`);
    const answer = this.#answer(`${request.method} ${request.url}`, body);
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.json === undefined ? '' : JSON.stringify(answer.json));
  }

  #answer(request: string, body: unknown): 'drop' | { readonly status: number; readonly json?: unknown } {
    const collection = '/redfish/v1/Systems';
    switch (request) {
      case 'GET /redfish/v1/':
        return { status: 200, json: { Systems: { '@odata.id': collection } } };
      case `GET ${collection}`:
        return { status: 200, json: { Members: [{ '@odata.id': systemPath }] } };
      case `GET ${systemPath}`:
        return this.#look();
      case `PATCH ${systemPath}`:
        this.patches.push(body);
        Object.assign(this.#behaviour.boot ?? {}, (body as { readonly Boot: object }).Boot);
        return { status: 204 };
      case `POST ${resetPath}`: {
        const { ResetType } = body as { readonly ResetType: string };
        this.resets.push(ResetType);
        const answer = this.onReset(ResetType, this.resets.length);
        return answer === 'drop' ? answer : { status: answer };
      }
      default:
        return { status: 404 };
    }
  }

  #look() {
    this.looks += 1;
    this.onLook(this.looks);
    const { allowedResets, boot, manufacturer } = this.#behaviour;
    const allowed = allowedResets === undefined ? {} : { 'ResetType@Redfish.AllowableValues': allowedResets };
    const json = {
      PowerState: this.powerState,
      Manufacturer: manufacturer,
      Boot: boot,
      Actions: { '#ComputerSystem.Reset': { target: resetPath, ...allowed } },
    };
    return { status: this.lookStatus, json };
  }
}

import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { loopback } from '../loopback.ts';
import { callName } from './call-name.ts';

/** Before or after the service has acted on a call. */
export type Moment = 'before' | 'after';

export type ProxyFault =
  /** The proxy answers in place of the service. */
  | { readonly kind: 'status'; readonly status: number; readonly moment: Moment }
  /** The connection ends without an answer. */
  | { readonly kind: 'drop'; readonly moment: Moment }
  /** The call reaches the service only then, also when the client has given up before. */
  | { readonly kind: 'delay'; readonly until: Promise<unknown> }
  /** The service's status comes with a body that is no JSON. */
  | { readonly kind: 'garble' }
  /** The connection ends in the middle of the body. */
  | { readonly kind: 'truncate' };

export interface FaultRule {
  /** Name of the call, as {@link callName} makes it. */
  readonly call: string;
  /** Which one of this name, counted from 1 since the last {@link FaultProxy.reset}. Default: 1. */
  readonly nth?: number;
  readonly fault: ProxyFault;
}

export interface ProxiedCall {
  /** "GET volumes/{id}", "POST attachments", "os-reserve". */
  readonly name: string;
  /** How many calls of this name there were, with this one. */
  readonly nth: number;
  readonly path: string;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An HTTP proxy in front of the Block Storage or the Image API that counts and names the calls, and lets chosen ones go wrong. */
export class FaultProxy {
  /** Stands for the address that it was started with. */
  readonly url: string;
  /** Called, and waited for, before a call is passed on and before it is answered; faults take effect after it. */
  onCall: ((call: ProxiedCall, moment: Moment) => unknown) | undefined;
  readonly #target: URL;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #underWay = new Set<Promise<void>>();
  #calls: ProxiedCall[] = [];
  #rules: FaultRule[] = [];

  private constructor(target: URL, server: Server) {
    this.#target = target;
    this.#server = server;
    this.url = `http://${loopback}:${(server.address() as AddressInfo).port}${target.pathname}`;
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      const passing = this.#pass(incoming, response);
      this.#underWay.add(passing);
      void passing.finally(() => this.#underWay.delete(passing));
    });
  }

  /** @param target address of the API, as the catalogue has it: `http://127.0.0.1:8776/v3`. */
  static async start(target: string): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, loopback, resolve);
    });
    return new FaultProxy(new URL(target), server);
  }

  /** Calls since the last {@link reset}. */
  get calls(): readonly ProxiedCall[] {
    return this.#calls;
  }

  /** Rules whose call has not come yet. */
  get pendingRules(): readonly FaultRule[] {
    return this.#rules;
  }

  /** Lets a call go wrong; each rule counts once. */
  inject(rule: FaultRule): void {
    this.#rules.push(rule);
  }

  /** Forgets calls, rules and the hook. */
  reset(): void {
    this.#calls = [];
    this.#rules = [];
    this.onCall = undefined;
  }

  /** Returns when the service has answered every call, those included whose client is gone. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(incoming);
    const { method = 'GET', url: path = '/' } = incoming;
    const name = callName(method, path, body.toString('utf8'));
    const call = { name, path, nth: this.#calls.filter((each) => each.name === name).length + 1 };
    this.#calls.push(call);
    const fault = this.#takeFault(call);
    const onCall = this.onCall;
    await onCall?.(call, 'before');
    if (fault?.kind === 'delay') await fault.until;
    if (endsAt('before', fault, response)) return;
    const reply = await this.#forward(incoming, body);
    await onCall?.(call, 'after');
    if (endsAt('after', fault, response)) return;
    if (reply === undefined) {
      response.destroy();
      return;
    }
    const sent = fault?.kind === 'garble' ? Buffer.from('{"volume": <garbled>') : reply.body;
    response.writeHead(reply.status, { ...reply.headers, 'content-length': sent.length });
    if (fault?.kind !== 'truncate') response.end(sent);
    else response.write(sent.subarray(0, sent.length / 2), () => response.destroy());
  }

  #takeFault(call: ProxiedCall): ProxyFault | undefined {
    const index = this.#rules.findIndex(({ call: name, nth = 1 }) => name === call.name && nth === call.nth);
    return index < 0 ? undefined : this.#rules.splice(index, 1)[0]?.fault;
  }

  /** @returns undefined when the service cannot be reached. */
  async #forward({ method, url: path, headers }: IncomingMessage, body: Buffer): Promise<Reply | undefined> {
    const { promise, resolve } = Promise.withResolvers<Reply | undefined>();
    const { hostname: host, port } = this.#target;
    const sent = { ...endToEnd(headers), 'content-length': body.length };
    const outgoing = request({ agent: this.#agent, host, port, method, path, headers: sent }, (answer) => {
      const { statusCode: status = 502, headers: received } = answer;
      readAll(answer).then(
        (content) => resolve({ status, headers: endToEnd(received), body: content }),
        () => resolve(undefined),
      );
    });
    outgoing.on('error', () => resolve(undefined)).end(body);
    return promise;
  }
}

/** Lets the call end here when its fault says so. */
function endsAt(moment: Moment, fault: ProxyFault | undefined, response: ServerResponse): boolean {
  if (fault === undefined || !('moment' in fault) || fault.moment !== moment) return false;
  if (fault.kind === 'drop') {
    response.destroy();
    return true;
  }
  const { status } = fault;
  const body = JSON.stringify({ computeFault: { code: status, message: 'This failure was asked for.' } });
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  return true;
}

/** The headers that are not about a single connection; the body has been read and has a length of its own. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const single = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !single.includes(name)));
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

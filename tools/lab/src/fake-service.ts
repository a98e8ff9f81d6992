import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';

/** A self-signed certificate for 127.0.0.1, and its key. */
export const certificatePath = join(import.meta.dirname, '../fixtures/loopback-cert.pem');
export const keyPath = join(import.meta.dirname, '../fixtures/loopback-key.pem');

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  /** Counts the requests of its connection from 1. */
  readonly nthOfConnection: number;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Instead of JSON. */
  readonly text?: string;
  /** `none`: no answer ever; `reset`: the connection is closed instead; `truncated`: in the middle of the body. */
  readonly fault?: 'none' | 'reset' | 'truncated';
}

/** Answers one request; the second argument counts the requests of this method and path from 1. */
export type Handler = (request: ReceivedRequest, nth: number) => Answer | Promise<Answer>;

/** An HTTP server on the loopback interface that answers as a test says, and remembers what it was asked. */
export class FakeService implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  readonly address: string;
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;
  readonly #requestsOf = new WeakMap<Socket, number>();

  private constructor(server: ReturnType<typeof createServer>, scheme: string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.address = `${scheme}://127.0.0.1:${this.port}`;
  }

  /** @param handlers by `METHOD /path`; anything else gets 404. */
  static async start(
    handlers: Readonly<Record<string, Handler>>,
    options: { readonly tls?: boolean } = {},
  ): Promise<FakeService> {
    const tls = { cert: readFileSync(certificatePath), key: readFileSync(keyPath) };
    const server = options.tls === true ? createTlsServer(tls) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const service = new FakeService(server, options.tls === true ? 'https' : 'http');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void service.#serve(handlers, request, response);
    });
    return service;
  }

  count(method: string, path: string): number {
    return this.requests.filter((request) => request.method === method && request.path === path).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(handlers: Readonly<Record<string, Handler>>, message: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers, socket } = message;
    const nthOfConnection = (this.#requestsOf.get(socket) ?? 0) + 1;
    this.#requestsOf.set(socket, nthOfConnection);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const request = { method, path: url, headers, body, nthOfConnection };
    this.requests.push(request);
    const handler = handlers[`${method} ${url}`];
    const answer = (await handler?.(request, this.count(method, url))) ?? { status: 404 };
    if (answer.fault === 'none') return;
    if (answer.fault === 'reset') {
      socket.destroy();
      return;
    }
    const content = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    const length = Buffer.byteLength(content);
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      'content-length': answer.fault === 'truncated' ? length + 10 : length,
      ...answer.headers,
    });
    if (answer.fault !== 'truncated') response.end(content);
    else response.write(content, () => socket.destroy());
  }
}

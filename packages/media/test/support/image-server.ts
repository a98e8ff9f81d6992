import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Answering = (response: ServerResponse, request: IncomingMessage) => unknown;

/** An HTTP server that answers as the test says at the moment. It ends with the test. */
export class ImageServer {
  readonly requests: IncomingMessage[] = [];
  readonly url: string;
  answer: Answering;
  readonly #stop: () => void;

  private constructor(url: string, answer: Answering, stop: () => void) {
    this.url = url;
    this.answer = answer;
    this.#stop = stop;
  }

  static async start(answer: Answering): Promise<ImageServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = () => {
      server.closeAllConnections();
      server.close();
    };
    onTestFinished(stop);
    const { port } = server.address() as AddressInfo;
    const started = new ImageServer(`http://127.0.0.1:${port}/image`, answer, stop);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      started.requests.push(request);
      started.answer(response, request);
    });
    return started;
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#stop();
  }
}

/** A file with a length, and with validators when they are given. */
export function file(content: string | Buffer, headers: Readonly<Record<string, string>> = {}): Answering {
  return (response) =>
    response.writeHead(200, { 'content-length': Buffer.byteLength(content), ...headers }).end(content);
}

/** As a server that knows entity tags. */
export function tagged(content: string, etag: string): Answering {
  return (response, request) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else file(content, { etag })(response, request);
  };
}

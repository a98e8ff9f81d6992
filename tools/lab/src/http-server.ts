import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { loopback } from './loopback.ts';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
}

/** A small web server on loopback for boot scripts and media images; it answers HEAD and single byte ranges. */
export class HttpServer {
  /** What is served, by path ("/boot.ipxe"). */
  readonly files = new Map<string, string | Buffer>();
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<HttpServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, loopback, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('A TCP server has an address.');
    return new HttpServer(server, address.port);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/' } = request;
    this.requests.push({ method, url });
    const file = this.files.get(url.split('?')[0] ?? '');
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const content = Buffer.from(file);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    const last = Math.min(range?.[2] ? Number(range[2]) : Infinity, content.length - 1);
    response.setHeader('Accept-Ranges', 'bytes').setHeader('Content-Type', 'application/octet-stream');
    if (range !== null && first > last) {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
      return;
    }
    if (range !== null) response.setHeader('Content-Range', `bytes ${first}-${last}/${content.length}`);
    response.writeHead(range === null ? 200 : 206, { 'Content-Length': last - first + 1 });
    response.end(method === 'HEAD' ? undefined : content.subarray(first, last + 1));
  }
}

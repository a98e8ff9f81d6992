import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { IronbarkError, type Logger } from '@ironbark/core';
import { parseByteRange } from './byte-range.ts';
import { contentTypeOf } from './content-type.ts';
import { openBelow, requestedNames, type ServedFile } from './file-lookup.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface HttpFileServerOptions extends ListenAddress {
  /** Directory whose files are served; exists. */
  readonly root: string;
  readonly log: Logger;
}

/** A connection on which nothing moved for so long is closed: a machine that was switched off does not say goodbye. */
const idleTimeoutMs = 120_000;
/** How long a download may still run at shutdown. */
const shutdownGraceMs = 1_000;
const readSize = 256 * 1024;

/** Serves the files of one directory to machines: GET and HEAD, single ranges, validators; no listings, nothing outside. */
export class HttpFileServer {
  readonly #server: Server;
  readonly #root: string;
  readonly #log: Logger;

  private constructor(root: string, log: Logger) {
    this.#root = root;
    this.#log = log;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.timeout = idleTimeoutMs;
  }

  /** @throws CONFIG_INVALID when the address cannot be listened on. */
  static async start(options: HttpFileServerOptions): Promise<HttpFileServer> {
    const server = new HttpFileServer(await realpath(options.root), options.log);
    server.#server.listen(options.port, options.host);
    try {
      await once(server.#server, 'listening');
    } catch (error) {
      const address = `${options.host} port ${options.port}`;
      throw new IronbarkError('CONFIG_INVALID', `Cannot serve boot files on ${address}: ${(error as Error).message}.`, {
        cause: error,
        hint: 'Choose a free address in settings.netboot.listen, or remove it and let a web server serve http_root.',
      });
    }
    return server;
  }

  get address(): ListenAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Stops listening; downloads that run get a moment to finish. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), shutdownGraceMs);
    await closed;
    clearTimeout(timer);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        // A client that goes away in the middle is normal: machines are switched off and firmware stops reading early.
        response.destroy();
      } else {
        this.#log.error({ err: error, method: request.method }, 'A boot file could not be served.');
        refuse(response, 500);
      }
    }
    const { statusCode } = response;
    this.#log.debug({ method: request.method, url: request.url, statusCode }, 'Boot file requested.');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return refuse(response, 405);
    }
    const names = requestedNames(request.url ?? '');
    const file = names && (await openBelow(this.#root, names));
    if (file === undefined) return refuse(response, 404);
    try {
      await send(file, request, response);
    } finally {
      await file.handle.close();
    }
  }
}

function refuse(response: ServerResponse, statusCode: number): void {
  response.writeHead(statusCode, { 'Content-Length': 0 }).end();
}

async function send(file: ServedFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const modified = new Date(Math.floor(file.modifiedMs / 1000) * 1000);
  response.setHeader('Accept-Ranges', 'bytes');
  // Scripts change with every deployment; whoever caches has to ask.
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('ETag', file.etag);
  response.setHeader('Last-Modified', modified.toUTCString());
  if (isNotModified(request, file.etag, modified)) return void response.writeHead(304).end();
  const asked = isRangeCurrent(request, file.etag, modified) ? request.headers.range : undefined;
  const range = request.method === 'GET' ? parseByteRange(asked, file.size) : undefined;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${file.size}`);
    return refuse(response, 416);
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  response.setHeader('Content-Type', contentTypeOf(file.path));
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Length', end - start + 1);
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${file.size}`);
  response.writeHead(range === undefined ? 200 : 206);
  if (request.method === 'HEAD' || file.size === 0) return void response.end();
  await pipeline(file.handle.createReadStream({ start, end, highWaterMark: readSize, autoClose: false }), response);
}

/** RFC 9110 section 13.2.2: If-None-Match goes before If-Modified-Since. */
function isNotModified(request: IncomingMessage, etag: string, modified: Date): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers;
  if (tags !== undefined)
    return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  return since !== undefined && modified.getTime() <= Date.parse(since);
}

/** RFC 9110 section 13.1.5: a range of a file that was replaced meanwhile is not sent; the whole file is. */
function isRangeCurrent(request: IncomingMessage, etag: string, modified: Date): boolean {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === etag || Date.parse(String(condition)) === modified.getTime();
}

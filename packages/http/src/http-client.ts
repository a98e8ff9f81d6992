import { isIronbarkError, type IronbarkError } from '@ironbark/core';
import ky from 'ky';
import { Agent, errors } from 'undici';
import { readCaFile, type CaFileFault } from './ca-file.ts';
import { brokenAnswer, connectionFault, type ConnectionFault } from './connection-fault.ts';
import { retryAfterMs } from './retry-after.ts';
import { pause, throwIfAborted } from './wait.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  readonly signal: AbortSignal;
  /** Whether it is safe and useful to make the request once more after this outcome. Asked while there are attempts left. */
  readonly isWorthRepeating: (outcome: HttpOutcome) => boolean;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  /** What the JSON holds; undefined when there was none. */
  readonly body: unknown;
  /** Whether the request was made before, and may have had its effect then: that answer was lost, or had a status of 500 or more. */
  readonly mayHaveArrivedBefore: boolean;
}

/** An answer, whatever its status, or why there is none. */
export type HttpOutcome = { readonly reply: HttpReply } | { readonly fault: ConnectionFault };

/** How patient a client is. Times are in milliseconds. */
export interface HttpPatience {
  /** For the TCP and TLS handshake. */
  readonly connectTimeoutMs: number;
  /** For the answer to one request, and once more for its body. */
  readonly requestTimeoutMs: number;
  /** How often a request is made at most. */
  readonly attempts: number;
  /** Pause before the first repetition; each further one is twice as long. `Retry-After` wins, up to 30 s. */
  readonly retryIntervalMs: number;
}

export interface HttpClientOptions {
  readonly patience: HttpPatience;
  /** True: by the CAs that Node trusts; a path: by the certificates in this PEM file alone; false: not verified at all. */
  readonly verifyCa: boolean | string;
  readonly maxConnections: number;
  /** How long an idle connection is kept when the service names no time; 0: each request has a connection of its own. */
  readonly idleConnectionMs: number;
  readonly maxReplyBytes: number;
  readonly voice: HttpVoice;
}

/** How a client speaks of its service: all its errors and logs come from here. */
export interface HttpVoice {
  /** Names service and request, for example `BMC https://…: GET /redfish/v1`. */
  describe(request: HttpRequest): string;
  unreachable(fault: ConnectionFault, request: HttpRequest): IronbarkError;
  /** An answer that such a service does not give. @param problem continues "… gave". */
  malformed(problem: string, request: HttpRequest): IronbarkError;
  caFile(fault: CaFileFault): IronbarkError;
  repeating(request: HttpRequest, facts: { readonly attempt: number; readonly waitMs: number }): void;
}

const maxRedirects = 3;
const maxRetryAfterMs = 30_000;

/** HTTP with JSON to one service. Errors of ky and undici end here. */
export class HttpClient implements AsyncDisposable {
  readonly #options: HttpClientOptions;
  #agent: Promise<Agent> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /**
   * @returns the answer, whatever its status.
   * @throws what the client's voice makes of a fault, or the reason of the abort; it does not tell whether the request had arrived.
   */
  async request(request: HttpRequest): Promise<HttpReply> {
    const { patience, voice } = this.#options;
    let mayHaveArrivedBefore = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request);
      if (attempt >= patience.attempts || !request.isWorthRepeating(outcome)) {
        if ('reply' in outcome) return { ...outcome.reply, mayHaveArrivedBefore };
        const mayHaveArrived = outcome.fault.mayHaveArrived || mayHaveArrivedBefore;
        throw voice.unreachable({ ...outcome.fault, mayHaveArrived }, request);
      }
      mayHaveArrivedBefore ||= 'reply' in outcome ? outcome.reply.status >= 500 : outcome.fault.mayHaveArrived;
      const backoffMs = patience.retryIntervalMs * 2 ** (attempt - 1);
      const askedMs = 'reply' in outcome ? retryAfterMs(outcome.reply.headers) : undefined;
      const waitMs = askedMs === undefined ? backoffMs : Math.min(askedMs, maxRetryAfterMs);
      voice.repeating(request, { attempt, waitMs });
      await pause(waitMs, request.signal, voice.describe(request));
    }
  }

  /** Requests that are under way fail. */
  async close(): Promise<void> {
    const agent = await this.#agent?.catch(() => undefined);
    await agent?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #attempt(request: HttpRequest): Promise<HttpOutcome> {
    const where = this.#options.voice.describe(request);
    throwIfAborted(request.signal, where);
    const dispatcher = await this.#dispatcher();
    try {
      return await this.#exchange(request, dispatcher);
    } catch (error) {
      throwIfAborted(request.signal, where);
      if (isIronbarkError(error)) throw error;
      return { fault: connectionFault(error) };
    }
  }

  /** Redirects are followed by hand and only on the same host: fetch would hand the token to any other. */
  async #exchange(request: HttpRequest, dispatcher: Agent): Promise<HttpOutcome> {
    let { url } = request;
    for (let redirects = 0; ; redirects += 1) {
      const answer = ky(url, this.#kyOptions(request, dispatcher));
      const { status, headers } = await answer;
      const text = await answer.text();
      const location = status >= 300 && status < 400 ? headers.get('location') : null;
      if (location === null) return this.#parse(request, { status, headers }, text);
      const next = new URL(location, url);
      if (request.method !== 'GET' || next.origin !== new URL(url).origin || redirects === maxRedirects) {
        throw this.#options.voice.malformed(`a redirection to ${next.origin}${next.pathname}`, request);
      }
      url = next.href;
    }
  }

  #kyOptions({ method, headers, body, signal }: HttpRequest, dispatcher: Agent) {
    return {
      method,
      headers: { accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { json: body }),
      signal,
      timeout: this.#options.patience.requestTimeoutMs,
      retry: 0,
      throwHttpErrors: false,
      redirect: 'manual' as const,
      fetch: async (...sent: Parameters<typeof fetch>) => bounded(await fetch(...sent), this.#options.maxReplyBytes),
      // The types of Node and of the package differ in what fetch does not use.
      dispatcher: dispatcher as unknown as NonNullable<RequestInit['dispatcher']>,
    };
  }

  #parse(request: HttpRequest, head: Pick<HttpReply, 'status' | 'headers'>, text: string): HttpOutcome {
    const empty = { reply: { ...head, body: undefined, mayHaveArrivedBefore: false } };
    if (text.trim() === '') return empty;
    try {
      return { reply: { ...empty.reply, body: JSON.parse(text) as unknown } };
    } catch {
      // The page of an error may be of any form; its status says enough.
      if (head.status >= 400) return empty;
      const type = head.headers.get('content-type')?.split(';')[0] ?? 'no content type';
      if (type.endsWith('json')) return { fault: brokenAnswer };
      throw this.#options.voice.malformed(`an answer that is not JSON (${type})`, request);
    }
  }

  #dispatcher(): Promise<Agent> {
    this.#agent ??= this.#createAgent();
    return this.#agent;
  }

  async #createAgent(): Promise<Agent> {
    const { patience, verifyCa, maxConnections, idleConnectionMs, maxReplyBytes, voice } = this.#options;
    const ca = typeof verifyCa === 'string' ? await readCaFile(verifyCa) : undefined;
    if (typeof ca === 'object') {
      this.#agent = undefined;
      throw voice.caFile(ca);
    }
    return new Agent({
      connect: {
        timeout: patience.connectTimeoutMs,
        rejectUnauthorized: verifyCa !== false,
        ...(ca === undefined ? {} : { ca }),
      },
      connections: maxConnections,
      ...(idleConnectionMs === 0 ? { pipelining: 0 } : { keepAliveTimeout: idleConnectionMs }),
      maxResponseSize: maxReplyBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }
}

/** The agent counts the bytes on the wire: compressed, a few of them may be gigabytes. */
function bounded(response: Response, maxBytes: number): Response {
  if (response.body === null || !response.headers.has('content-encoding')) return response;
  let bytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) controller.error(new errors.ResponseExceededMaxSizeError());
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(count), response);
}

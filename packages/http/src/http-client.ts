import { isIronbarkError } from '@ironbark/core';
import ky from 'ky';
import { Agent, errors, fetch, request as open, type Dispatcher } from 'undici';
import { readCaFile } from './ca-file.ts';
import { brokenAnswer, connectionFault } from './connection-fault.ts';
import type {
  HttpClientOptions,
  HttpOutcome,
  HttpReply,
  HttpRequest,
  HttpStream,
  HttpStreamRequest,
  Outcome,
} from './http-exchange.ts';
import { retryAfterMs } from './retry-after.ts';
import { contentLength, StreamedContent } from './streamed-content.ts';
import { pause, throwIfAborted } from './wait.ts';

interface Redirection {
  readonly url: string;
  readonly location: string;
  /** How many were followed before. */
  readonly redirects: number;
  readonly mayLeaveHost: boolean;
}

const maxRedirects = 5;
const maxRetryAfterMs = 30_000;

/** What an agent is for: answers of bounded size, or streams of any. */
type Purpose = 'replies' | 'streams';

/** HTTP with JSON to one service. Errors of ky and undici end here. */
export class HttpClient implements AsyncDisposable {
  readonly #options: HttpClientOptions;
  readonly #agents = new Map<Purpose, Promise<Agent>>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /**
   * @returns the answer, whatever its status.
   * @throws what the client's voice makes of a fault, or the reason of the abort; it does not tell whether the request had arrived.
   */
  async request(request: HttpRequest): Promise<HttpReply> {
    return this.#repeat(request, 'replies', (dispatcher) => this.#exchange(request, dispatcher));
  }

  /**
   * The same for content of any size and form. It is not unpacked, and as long as its pieces come in time it may take any time.
   * @throws as {@link request}; so does reading the content.
   */
  async stream(request: HttpStreamRequest): Promise<HttpStream> {
    return this.#repeat(request, 'streams', (dispatcher) => this.#open(request, dispatcher));
  }

  async #repeat<Reply extends HttpReply>(
    request: HttpRequest,
    purpose: Purpose,
    exchange: (dispatcher: Agent) => Promise<Outcome<Reply>>,
  ): Promise<Reply> {
    const { patience, voice } = this.#options;
    let mayHaveArrivedBefore = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request, purpose, exchange);
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
    for (const made of this.#agents.values()) {
      const agent = await made.catch(() => undefined);
      await agent?.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #attempt<Reply extends HttpReply>(
    request: HttpRequest,
    purpose: Purpose,
    exchange: (dispatcher: Agent) => Promise<Outcome<Reply>>,
  ): Promise<Outcome<Reply>> {
    const where = this.#options.voice.describe(request);
    throwIfAborted(request.signal, where);
    const dispatcher = await this.#dispatcher(purpose);
    try {
      return await exchange(dispatcher);
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
      const location = locationOf(status, headers);
      if (location === null) return this.#parse(request, { status, headers }, text);
      url = this.#redirected(request, { url, location, redirects, mayLeaveHost: false });
    }
  }

  /** Not by fetch, which unpacks what comes: a file that is packed itself would arrive as another one. */
  async #open(request: HttpStreamRequest, dispatcher: Agent): Promise<Outcome<HttpStream>> {
    let { url } = request;
    for (let redirects = 0; ; redirects += 1) {
      const headers = { accept: '*/*', 'accept-encoding': 'identity', ...request.headers };
      const answer = await open(url, { method: request.method, headers, signal: request.signal, dispatcher });
      const head = { status: answer.statusCode, headers: toHeaders(answer.headers) };
      const location = locationOf(head.status, head.headers);
      if (location !== null) {
        await answer.body.dump();
        url = this.#redirected(request, { url, location, redirects, mayLeaveHost: request.mayLeaveHost });
      } else if (head.status >= 200 && head.status < 300) {
        const content = new StreamedContent(answer.body, contentLength(head.headers), (error) =>
          this.#explain(request, error),
        );
        return { reply: { ...head, body: undefined, mayHaveArrivedBefore: false, content } };
      } else {
        const outcome = this.#parse(request, head, await readText(answer.body, this.#options.maxReplyBytes));
        return 'fault' in outcome ? outcome : { reply: { ...outcome.reply, content: null } };
      }
    }
  }

  /** The error for one that the transport gives to a reader. */
  #explain(request: HttpRequest, error: unknown): unknown {
    const { voice } = this.#options;
    try {
      throwIfAborted(request.signal, voice.describe(request));
    } catch (reason) {
      return reason;
    }
    return voice.unreachable(connectionFault(error), request);
  }

  /** Where a redirection leads. @throws malformed when it is not followed. */
  #redirected(request: HttpRequest, { url, location, redirects, mayLeaveHost }: Redirection): string {
    const next = URL.parse(location, url);
    const isFollowed =
      next !== null &&
      request.method === 'GET' &&
      redirects < maxRedirects &&
      (next.origin === new URL(url).origin || (mayLeaveHost && /^https?:$/.test(next.protocol)));
    if (isFollowed) return next.href;
    const place = next === null ? 'no address' : `${next.protocol}//${next.host}${next.pathname}`;
    throw this.#options.voice.malformed(`a redirection to ${place}`, request);
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
      fetch: async (sent: string | URL | Request) => {
        return bounded(await this.#fetch(new Request(sent), dispatcher), this.#options.maxReplyBytes);
      },
    };
  }

  /** By the fetch that belongs to the agent: Node's own is of another version, and does not work with it. */
  async #fetch(sent: Request, dispatcher: Agent): Promise<Response> {
    const { url, method, headers, redirect, signal } = sent;
    const body = sent.body === null ? null : await sent.text();
    return fetch(url, { method, headers: [...headers], body, redirect, signal, dispatcher });
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

  #dispatcher(purpose: Purpose): Promise<Agent> {
    const agent = this.#agents.get(purpose) ?? this.#createAgent(purpose);
    this.#agents.set(purpose, agent);
    return agent;
  }

  async #createAgent(purpose: Purpose): Promise<Agent> {
    const { patience, verifyCa, maxConnections, idleConnectionMs, maxReplyBytes, voice } = this.#options;
    const ca = typeof verifyCa === 'string' ? await readCaFile(verifyCa) : undefined;
    if (typeof ca === 'object') {
      this.#agents.delete(purpose);
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
      // ky has a timeout of its own.
      ...(purpose === 'replies'
        ? { maxResponseSize: maxReplyBytes, headersTimeout: 0, bodyTimeout: 0 }
        : { headersTimeout: patience.requestTimeoutMs, bodyTimeout: patience.requestTimeoutMs }),
    });
  }
}

function locationOf(status: number, headers: Headers): string | null {
  return status >= 300 && status < 400 ? headers.get('location') : null;
}

function toHeaders(received: Dispatcher.ResponseData['headers']): Headers {
  const pairs = Object.entries(received).flatMap(([name, value = []]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  );
  return new Headers(pairs);
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new errors.ResponseExceededMaxSizeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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

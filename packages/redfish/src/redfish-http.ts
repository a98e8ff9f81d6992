import { readFile } from 'node:fs/promises';
import { invalidParameter, isIronbarkError, type IronbarkError, type Logger } from '@ironbark/core';
import ky from 'ky';
import { Agent } from 'undici';
import { resourceUrl } from './address.ts';
import type { RedfishConnection, RedfishPatience } from './connection.ts';
import { isSessionLimit } from './extended-info.ts';
import {
  brokenAnswer,
  connectionFault,
  isTimeoutFault,
  malformedAnswer,
  statusFault,
  type RequestContext,
} from './faults.ts';
import { pause, throwIfAborted } from './wait.ts';

export interface RedfishRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal: AbortSignal;
  /**
   * Whether it does no harm twice, so that it is made again when the connection breaks or the service fails (5xx, 429). Default: true
   * for GET and PATCH, which sets properties to given values; an action is never repeated here.
   */
  readonly repeatable?: boolean;
}

export interface RedfishReply {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when there was none. */
  readonly body: unknown;
}

/** BMCs serve few connections at once, and some of them fall over when there are more. */
const maxConnections = 4;
/** Short, because an action that meets a connection which the BMC is just closing is lost; a BMC that says more gets more. */
const idleConnectionMs = 1_000;
const maxReplyBytes = 8 * 1024 * 1024;
const maxRedirects = 3;
const maxRetryAfterMs = 30_000;

/**
 * HTTP to one BMC: TLS, timeouts, repetition of what is safe to repeat. Knows nothing about authentication or resources.
 * Errors of ky and undici end here.
 */
export class RedfishHttp {
  readonly #connection: RedfishConnection;
  readonly #patience: RedfishPatience;
  readonly #keyPrefix: string;
  readonly #log: Logger;
  #agent: Promise<Agent> | undefined;

  constructor(connection: RedfishConnection, patience: RedfishPatience, keyPrefix: string, log: Logger) {
    this.#connection = connection;
    this.#patience = patience;
    this.#keyPrefix = keyPrefix;
    this.#log = log;
  }

  get address(): string {
    return this.#connection.address;
  }

  /**
   * @returns the answer, whatever its status.
   * @throws BMC_UNREACHABLE, BMC_UNSUPPORTED for an answer that is no JSON, INVALID_PARAMETER for a CA file that cannot be read.
   */
  async request(request: RedfishRequest): Promise<RedfishReply> {
    const repeatable = request.repeatable ?? (request.method === 'GET' || request.method === 'PATCH');
    const attempts = repeatable ? this.#patience.attempts : 1;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request);
      if (attempt >= attempts || !isWorthRepeating(outcome)) {
        if ('fault' in outcome) throw outcome.fault;
        return outcome;
      }
      const backoffMs = this.#patience.retryIntervalMs * 2 ** (attempt - 1);
      const waitMs = ('fault' in outcome ? undefined : retryAfterMs(outcome.headers)) ?? backoffMs;
      const { method, path } = request;
      this.#log.debug({ bmc: this.address, method, path, attempt, waitMs }, 'Repeating a request to the BMC.');
      await pause(waitMs, request.signal, this.#where(request));
    }
  }

  /** The error for an answer that {@link request} returned. */
  fault(request: Pick<RedfishRequest, 'method' | 'path'>, { status, body }: RedfishReply): IronbarkError {
    const { credentials } = this.#connection;
    return statusFault(status, body, this.#context(request), credentials === null ? [] : [credentials.password]);
  }

  /** The error for an answer that no Redfish service gives. @param problem continues "… gave". */
  malformed(request: Pick<RedfishRequest, 'method' | 'path'>, problem: string): IronbarkError {
    return malformedAnswer(this.#context(request), problem);
  }

  async close(): Promise<void> {
    const agent = await this.#agent?.catch(() => undefined);
    await agent?.destroy();
  }

  #context({ method, path }: Pick<RedfishRequest, 'method' | 'path'>): RequestContext {
    return { address: this.address, method, path, keyPrefix: this.#keyPrefix };
  }

  #where({ method, path }: RedfishRequest): string {
    return `BMC ${this.address}: ${method} ${path}`;
  }

  async #attempt(request: RedfishRequest): Promise<RedfishReply | { readonly fault: IronbarkError }> {
    throwIfAborted(request.signal, this.#where(request));
    const dispatcher = await this.#dispatcher();
    try {
      return await this.#exchange(request, dispatcher);
    } catch (error) {
      throwIfAborted(request.signal, this.#where(request));
      return { fault: isIronbarkError(error) ? error : connectionFault(error, this.#context(request)) };
    }
  }

  /** Redirects are followed by hand and only on the same host: fetch would hand the token to any other. */
  async #exchange(request: RedfishRequest, dispatcher: Agent): Promise<RedfishReply> {
    let url = resourceUrl(this.address, request.path);
    for (let redirects = 0; ; redirects += 1) {
      const answer = ky(url, this.#options(request, dispatcher));
      const { status, headers } = await answer;
      const text = await answer.text();
      const location = status >= 300 && status < 400 ? headers.get('location') : null;
      if (location === null) return { status, headers, body: this.#parse(request, status, headers, text) };
      const next = new URL(location, url);
      if (request.method !== 'GET' || next.origin !== this.address || redirects === maxRedirects) {
        throw this.malformed(request, `a redirection to ${next.origin}${next.pathname}`);
      }
      url = next.href;
    }
  }

  #options(request: RedfishRequest, dispatcher: Agent) {
    return {
      method: request.method,
      // Compressed answers make some services send weak entity tags, which they do not accept in If-Match.
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'odata-version': '4.0',
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { json: request.body }),
      signal: request.signal,
      timeout: this.#patience.requestTimeoutMs,
      retry: 0,
      throwHttpErrors: false,
      redirect: 'manual' as const,
      // The types of Node and of the package differ in what fetch does not use.
      dispatcher: dispatcher as unknown as NonNullable<RequestInit['dispatcher']>,
    };
  }

  #parse(request: RedfishRequest, status: number, headers: Headers, text: string): unknown {
    if (text.trim() === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      // The page of an error may be of any form; its status says enough.
      if (status >= 400) return undefined;
      const type = headers.get('content-type')?.split(';')[0] ?? 'no content type';
      if (type.endsWith('json')) throw brokenAnswer(this.#context(request));
      throw this.malformed(request, `an answer that is not JSON (${type})`);
    }
  }

  #dispatcher(): Promise<Agent> {
    this.#agent ??= this.#createAgent();
    return this.#agent;
  }

  async #createAgent(): Promise<Agent> {
    const { verifyCa } = this.#connection;
    const ca = typeof verifyCa === 'string' ? { ca: await this.#readCa(verifyCa) } : {};
    return new Agent({
      connect: { timeout: this.#patience.connectTimeoutMs, rejectUnauthorized: verifyCa !== false, ...ca },
      connections: maxConnections,
      keepAliveTimeout: idleConnectionMs,
      maxResponseSize: maxReplyBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Node would take an empty list of CAs for its own. */
  async #readCa(path: string): Promise<string> {
    try {
      const text = await readFile(path, 'utf8');
      if (text.includes('CERTIFICATE-----')) return text;
    } catch (error) {
      throw this.#caFault(path, 'cannot be read', error);
    }
    throw this.#caFault(path, 'holds no certificate');
  }

  #caFault(path: string, problem: string, cause?: unknown): IronbarkError {
    this.#agent = undefined;
    return invalidParameter(`The CA file ${path} for BMC ${this.address} ${problem}.`, {
      hint: `Put a PEM file there, readable for the conductor, or correct driver_info ${this.#keyPrefix}verify_ca.`,
      cause,
    });
  }
}

function isWorthRepeating(outcome: RedfishReply | { readonly fault: IronbarkError }): boolean {
  if ('fault' in outcome) return outcome.fault.retryable && !isTimeoutFault(outcome.fault);
  const { status, body } = outcome;
  return (status === 429 || (status >= 500 && status !== 501)) && !isSessionLimit(body);
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxRetryAfterMs);
}

import { invalidParameter, type IronbarkError, type Logger } from '@ironbark/core';
import { HttpClient, type HttpOutcome, type HttpReply, type HttpRequest, type HttpVoice } from '@ironbark/http';
import { resourceUrl } from './address.ts';
import type { RedfishConnection, RedfishPatience } from './connection.ts';
import { isSessionLimit } from './extended-info.ts';
import { describe, malformedAnswer, statusFault, unreachableFault, type RequestContext } from './faults.ts';

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

export type RedfishReply = HttpReply;

/** BMCs serve few connections at once, and some of them fall over when there are more. */
const maxConnections = 4;
/** Short, because an action that meets a connection which the BMC is just closing is lost; a BMC that says more gets more. */
const idleConnectionMs = 1_000;
const maxReplyBytes = 8 * 1024 * 1024;

/** HTTP to one BMC: what is safe to repeat, and how a BMC is spoken of. Knows nothing about authentication or resources. */
export class RedfishHttp {
  readonly #connection: RedfishConnection;
  readonly #keyPrefix: string;
  readonly #client: HttpClient;

  constructor(connection: RedfishConnection, patience: RedfishPatience, keyPrefix: string, log: Logger) {
    this.#connection = connection;
    this.#keyPrefix = keyPrefix;
    const { verifyCa } = connection;
    const voice = this.#voice(log);
    this.#client = new HttpClient({ patience, verifyCa, maxConnections, idleConnectionMs, maxReplyBytes, voice });
  }

  get address(): string {
    return this.#connection.address;
  }

  /**
   * @returns the answer, whatever its status.
   * @throws BMC_UNREACHABLE, BMC_UNSUPPORTED for an answer that is no JSON, INVALID_PARAMETER for a CA file that cannot be read.
   */
  async request(request: RedfishRequest): Promise<RedfishReply> {
    const { method, body, signal } = request;
    const isRepeatable = request.repeatable ?? (method === 'GET' || method === 'PATCH');
    return this.#client.request({
      method,
      url: resourceUrl(this.address, request.path),
      // Compressed answers make some services send weak entity tags, which they do not accept in If-Match.
      headers: { 'accept-encoding': 'identity', 'odata-version': '4.0', ...request.headers },
      body,
      signal,
      isWorthRepeating: (outcome) => isRepeatable && isPassing(outcome),
    });
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
    await this.#client.close();
  }

  #context({ method, path }: Pick<RequestContext, 'method' | 'path'>): RequestContext {
    return { address: this.address, method, path, keyPrefix: this.#keyPrefix };
  }

  #voice(log: Logger): HttpVoice {
    const context = ({ method, url }: HttpRequest) => this.#context({ method, path: url.slice(this.address.length) });
    return {
      describe: (request) => describe(context(request)),
      unreachable: (fault, request) => unreachableFault(fault, context(request)),
      malformed: (problem, request) => malformedAnswer(context(request), problem),
      caFile: ({ path, problem, cause }) =>
        invalidParameter(`The CA file ${path} for BMC ${this.address} ${problem}.`, {
          hint: `Put a PEM file there, readable for the conductor, or correct driver_info ${this.#keyPrefix}verify_ca.`,
          cause,
        }),
      repeating: (request, facts) => {
        const { method, path } = context(request);
        log.debug({ bmc: this.address, method, path, ...facts }, 'Repeating a request to the BMC.');
      },
    };
  }
}

/** Whether an outcome may be another one a little later. */
function isPassing(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return outcome.fault.retryable && !outcome.fault.timedOut;
  const { status, body } = outcome.reply;
  return (status === 429 || (status >= 500 && status !== 501)) && !isSessionLimit(body);
}

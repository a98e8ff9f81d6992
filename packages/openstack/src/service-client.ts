import type { IronbarkError, Secret } from '@ironbark/core';
import type { HttpOutcome, HttpReply, HttpRequest, HttpStream } from '@ironbark/http';
import { isPassing, isUntouched } from './repetition.ts';
import { withMayHaveActed } from './service-error.ts';
import { serviceVoice, type ServiceVoice } from './service-voice.ts';
import type { Session, Transport } from './session/session.ts';
import type { AuthToken } from './session/token.ts';

export interface ServiceRequest {
  readonly method: HttpRequest['method'];
  /** Absolute; its origin gets the token. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal: AbortSignal;
  /**
   * Whether it does no harm twice, so that it is made again when the connection breaks or the service is not there (502, 503, 504; a
   * GET after any 5xx). Default: GET only. Any request is made again when it certainly did not arrive, and when the service limits
   * the rate.
   */
  readonly repeatable?: boolean;
}

export interface ServiceClientOptions {
  /** `Cinder` and so on, for messages. */
  readonly name: string;
  /** Where its address is from, for hints. */
  readonly address: string;
  /** Whose requests these are. Default: ours. The token of a user is not renewed. */
  readonly userToken?: Secret;
}

/** By default, services refuse a request with a service token that lacks this role. */
const serviceRole = 'service';

/**
 * Requests to a service with our token, once more with a new one when it is refused. Where our user has the role `service`, our token
 * goes along as `X-Service-Token` too: Cinder leaves the volumes of instances to services, and a user's token may expire on the way.
 */
export class ServiceClient {
  readonly voice: ServiceVoice;
  readonly #session: Session;
  readonly #transport: Transport;
  readonly #userToken: Secret | undefined;

  constructor(session: Session, { name, address, userToken }: ServiceClientOptions) {
    this.#session = session;
    this.#userToken = userToken;
    this.voice = serviceVoice({ name, address, settings: session.settings }, session.log);
    this.#transport = session.connect(this.voice);
  }

  /**
   * @returns an answer with a status below 400.
   * @throws ServiceError, the reason of the abort.
   */
  async request(request: ServiceRequest): Promise<HttpReply> {
    const { repeatable = request.method === 'GET' } = request;
    return this.#authorized(request, (sent) => this.#transport[repeatable ? 'kept' : 'fresh'].request(sent));
  }

  /**
   * The same for an answer of any size.
   * @throws as {@link request}; so does reading the content.
   */
  async stream(request: ServiceRequest & { readonly method: 'GET' }): Promise<HttpStream> {
    return this.#authorized(request, (sent) =>
      this.#transport.kept.stream({ ...sent, method: 'GET', mayLeaveHost: false }),
    );
  }

  async #authorized<Reply extends HttpReply>(
    request: ServiceRequest,
    send: (sent: HttpRequest) => Promise<Reply>,
  ): Promise<Reply> {
    const exchange = async (token: AuthToken): Promise<Exchange<Reply>> => {
      const sent = this.#withToken(request, token);
      return { sent, reply: await send(sent) };
    };
    const token = await this.#session.token(request.signal);
    const first = await exchange(token);
    if (first.reply.status !== 401) return this.#accept(first);
    try {
      const renewed = await this.#session.renew(token, request.signal);
      return this.#accept(renewed === token ? first : await exchange(renewed));
    } catch (error) {
      throw first.reply.mayHaveArrivedBefore ? withMayHaveActed(error, true) : error;
    }
  }

  /** The error for an answer that lacks what the service promises. @param problem continues "… gave". */
  malformed({ method, url, body, signal }: ServiceRequest, problem: string): IronbarkError {
    return this.voice.malformed(problem, { method, url, headers: {}, body, signal, isWorthRepeating: () => false });
  }

  #withToken(request: ServiceRequest, token: AuthToken): HttpRequest {
    const { method, url, body, signal, repeatable = method === 'GET' } = request;
    const own = token.value.reveal();
    return {
      method,
      url,
      headers: {
        ...request.headers,
        'x-auth-token': this.#userToken?.reveal() ?? own,
        ...(token.roles.includes(serviceRole) ? { 'x-service-token': own } : {}),
      },
      body,
      signal,
      isWorthRepeating: (outcome) =>
        repeatable ? isPassing(outcome) && (method === 'GET' || !hasFailed(outcome)) : isUntouched(outcome),
    };
  }

  #accept<Reply extends HttpReply>({ sent, reply }: Exchange<Reply>): Reply {
    if (reply.status < 400) return reply;
    throw this.voice.refused(reply, sent);
  }
}

interface Exchange<Reply> {
  readonly sent: HttpRequest;
  readonly reply: Reply;
}

/** A change that made the service fail will most likely do so again. */
function hasFailed(outcome: HttpOutcome): boolean {
  return 'reply' in outcome && outcome.reply.status === 500;
}

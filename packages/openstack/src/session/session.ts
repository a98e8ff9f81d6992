import type { Logger } from '@ironbark/core';
import { HttpClient, throwIfAborted, unlessAborted, type HttpRequest, type HttpVoice } from '@ironbark/http';
import { isPassing } from '../repetition.ts';
import { ServiceError, withMayHaveActed } from '../service-error.ts';
import { serviceVoice, type ServiceVoice } from '../service-voice.ts';
import { authRequest, secretsOf } from './auth-request.ts';
import { findEndpoint, listEndpoints, type ServiceType } from './catalog.ts';
import type { Auth, EndpointOptions, SessionOptions } from './session-options.ts';
import { anonymousToken, readToken, type AuthToken } from './token.ts';

export interface SessionContext {
  readonly log: Logger;
  /** What the settings of this session begin with in hints, for example `settings.cinder`. */
  readonly settings: string;
}

/** The two ways to a service; {@link Session.connect}. */
export interface Transport {
  /** Over connections that are kept open: for requests that may be made again when a kept connection turns out to be closed. */
  readonly kept: HttpClient;
  /** Each request over a connection of its own: for those that must not be made twice. */
  readonly fresh: HttpClient;
}

type KeystoneAuth = Extract<Auth, { kind: 'keystone' }>;

const maxConnections = 16;
/** Less than the 5 s of Apache's default. */
const idleConnectionMs = 4_000;
const maxReplyBytes = 32 * 1024 * 1024;
const firstHoldMs = 60_000;
const maxHoldMs = 15 * 60_000;

/**
 * Our identity at Keystone and the way to the services of its catalogue. Logs in when needed, again before the token expires, and
 * once more when a service refuses it; callers at the same time share a login.
 *
 * Credentials that Keystone refuses are not tried again for a minute, then two, up to fifteen: repeated failures lock accounts.
 */
export class Session implements AsyncDisposable {
  readonly settings: string;
  readonly log: Logger;
  readonly #options: SessionOptions;
  readonly #voice: ServiceVoice;
  readonly #clients: HttpClient[] = [];
  readonly #closed = new AbortController();
  readonly #http: HttpClient;
  #token: AuthToken | undefined;
  #login: Promise<AuthToken> | undefined;
  #refusal: { readonly error: ServiceError; readonly holdMs: number; readonly until: number } | undefined;

  constructor(options: SessionOptions, { log, settings }: SessionContext) {
    this.#options = options;
    this.log = log;
    this.settings = settings;
    this.#voice = serviceVoice({ name: 'Keystone', address: `${settings}.auth_url`, settings }, log);
    this.#http = this.connect(this.#voice).fresh;
    if (options.verifyCa === false) {
      log.warn(
        { settings },
        'TLS certificates of OpenStack services are not verified: whoever is between can read tokens.',
      );
    }
  }

  /** Base of Keystone's v3 API, without a slash at the end; null for a session without Keystone. */
  get authUrl(): string | null {
    return this.#options.auth.kind === 'keystone' ? this.#options.auth.url : null;
  }

  /**
   * A token that is good for another minute at least, or half of its life where that is shorter.
   * @throws ServiceError, the reason of the abort.
   */
  async token(signal: AbortSignal): Promise<AuthToken> {
    const { auth } = this.#options;
    const where = `Keystone ${this.authUrl}: login`;
    throwIfAborted(signal, where);
    if (auth.kind === 'none') return (this.#token ??= anonymousToken(auth));
    if (this.#token !== undefined && Date.now() < this.#token.renewAt) return this.#token;
    this.#login ??= this.#logIn(auth)
      .catch((error: unknown) => {
        throw withMayHaveActed(error, false);
      })
      .finally(() => {
        this.#login = undefined;
      });
    return unlessAborted(this.#login, signal, where);
  }

  /**
   * Another token instead of one that a service has refused. Without Keystone it is the same.
   * @throws as {@link token}.
   */
  async renew(refused: AuthToken, signal: AbortSignal): Promise<AuthToken> {
    if (this.#token === refused && this.authUrl !== null) this.#token = undefined;
    return this.token(signal);
  }

  /**
   * The URL of a service, without a slash at the end.
   * @throws ServiceError: `OPENSTACK_NO_ENDPOINT`, or as {@link token}.
   */
  async endpointOf(serviceType: ServiceType, endpoint: EndpointOptions, signal: AbortSignal): Promise<string> {
    const { catalog, projectId } = await this.token(signal);
    const found = endpoint.override ?? (catalog === null ? undefined : findEndpoint(catalog, serviceType, endpoint));
    if (found !== undefined) {
      return found.replaceAll(/[%$]\((?:project|tenant)_id\)s?/g, projectId ?? '').replace(/\/+$/, '');
    }
    const region = endpoint.region === null ? '' : ` in region ${endpoint.region}`;
    const source = catalog === null ? 'Without Keystone there' : `In the catalogue of Keystone ${this.authUrl} there`;
    const known = catalog === null ? [] : listEndpoints(catalog, serviceType);
    const offer = known.length === 0 ? '' : ` The catalogue has: ${known.join(', ')}.`;
    const scope = catalog?.length === 0 ? ` The catalogue is empty: set ${this.settings}.project_name, too.` : '';
    throw new ServiceError(
      'OPENSTACK_NO_ENDPOINT',
      `${source} is no ${serviceType} endpoint${region} (${endpoint.interfaces.join(' or ')}).`,
      {
        hint: `Set ${this.settings}.endpoint_override, or correct region_name and valid_interfaces there.${offer}${scope}`,
        httpStatus: null,
        mayHaveActed: false,
      },
    );
  }

  /** Clients for a service, which the session closes. */
  connect(voice: HttpVoice): Transport {
    const { patience, verifyCa } = this.#options;
    const shared = { patience, verifyCa, maxConnections, maxReplyBytes, voice };
    const kept = new HttpClient({ ...shared, idleConnectionMs });
    const fresh = new HttpClient({ ...shared, idleConnectionMs: 0 });
    this.#clients.push(kept, fresh);
    return { kept, fresh };
  }

  /** Requests that are under way fail. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #logIn(auth: KeystoneAuth): Promise<AuthToken> {
    if (this.#refusal !== undefined && Date.now() < this.#refusal.until) throw this.#refusal.error;
    const request: HttpRequest = {
      method: 'POST',
      url: `${auth.url}/auth/tokens`,
      headers: {},
      body: authRequest(auth.credentials, auth.scope),
      signal: this.#closed.signal,
      isWorthRepeating: isPassing,
    };
    const askedAt = Date.now();
    const reply = await this.#http.request(request);
    if (reply.status === 401) throw this.#hold(auth);
    if (reply.status >= 400) throw this.#voice.refused(reply, request, secretsOf(auth.credentials));
    const token = readToken(reply, askedAt);
    if (token === undefined) throw this.#voice.malformed('an answer that is no token of Identity v3', request);
    this.log.debug({ authUrl: auth.url, settings: this.settings }, 'Logged in to Keystone.');
    this.#refusal = undefined;
    this.#token = token;
    return token;
  }

  #hold({ url, credentials, scope }: KeystoneAuth): ServiceError {
    const holdMs = Math.min(this.#refusal === undefined ? firstHoldMs : this.#refusal.holdMs * 2, maxHoldMs);
    const until = Date.now() + holdMs;
    const time = `${new Date(until).toISOString().slice(0, 19)}Z`;
    const what = credentials.method === 'token' ? 'the token' : 'the credentials';
    const role = scope === null || 'unscoped' in scope ? '' : ' and that the user has a role in that scope';
    const error = new ServiceError('OPENSTACK_UNAUTHORIZED', `Keystone ${url} refuses ${what} of ${this.settings}.`, {
      hint: `Check the names, domains and secret there${role}: Keystone does not tell which is wrong. It is asked again at ${time}, lest it locks the account; after a correction in Keystone, restart the conductor to be sooner.`,
      httpStatus: 401,
      mayHaveActed: false,
      details: { authUrl: url },
    });
    this.#refusal = { error, holdMs, until };
    return error;
  }
}

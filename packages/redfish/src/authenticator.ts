import { IronbarkError, Secret, type Logger } from '@ironbark/core';
import { throwIfAborted, unlessAborted } from '@ironbark/http';
import type { RedfishConnection, RedfishCredentials } from './connection.ts';
import { linkAt, objectAt, textAt, isJsonObject } from './json.ts';
import { isSessionLimit } from './extended-info.ts';
import type { RedfishHttp, RedfishReply } from './redfish-http.ts';

/** What a request carries to be accepted. A new value after every login, so that values can be told apart. */
export type Authentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly header: Secret }
  | { readonly kind: 'session'; readonly token: Secret; readonly path: string | undefined };

export const rootPath = '/redfish/v1/';
const defaultSessionsPath = '/redfish/v1/SessionService/Sessions';
const logoutTimeoutMs = 5_000;

/** Logs in to one BMC when needed; concurrent callers share a login. DSP0266, "Redfish session login authentication". */
export class Authenticator {
  readonly #http: RedfishHttp;
  readonly #connection: RedfishConnection;
  readonly #log: Logger;
  readonly #closed = new AbortController();
  #current: Promise<Authentication> | undefined;

  constructor(http: RedfishHttp, connection: RedfishConnection, log: Logger) {
    this.#http = http;
    this.#connection = connection;
    this.#log = log;
  }

  /** @throws BMC_UNAUTHORIZED when the BMC refuses the credentials. */
  async authenticate(signal: AbortSignal): Promise<Authentication> {
    const where = `BMC ${this.#http.address}: login`;
    throwIfAborted(signal, where);
    this.#current ??= this.#login().catch((error: unknown) => {
      this.#current = undefined;
      throw error;
    });
    return unlessAborted(this.#current, signal, where);
  }

  /**
   * Another session instead of one that the BMC does not know any more.
   * @returns undefined when there is none to be had: the credentials themselves were refused.
   */
  async renew(refused: Authentication, signal: AbortSignal): Promise<Authentication | undefined> {
    if (refused.kind !== 'session') return undefined;
    const current = this.#current;
    const authentication = await current?.catch(() => undefined);
    if (authentication === refused && this.#current === current) this.#current = undefined;
    return this.authenticate(signal);
  }

  /** Ends the session. A BMC that does not answer keeps it until it expires there. */
  async close(): Promise<void> {
    this.#closed.abort();
    const current = await this.#current?.catch(() => undefined);
    this.#current = undefined;
    if (current?.kind !== 'session' || current.path === undefined) return;
    try {
      await this.#http.request({
        method: 'DELETE',
        path: current.path,
        headers: authenticationHeaders(current),
        signal: AbortSignal.timeout(logoutTimeoutMs),
      });
    } catch (error) {
      this.#log.debug({ bmc: this.#http.address, err: error }, 'The session was not ended at the BMC.');
    }
  }

  async #login(): Promise<Authentication> {
    const { credentials, authType } = this.#connection;
    if (credentials === null) return { kind: 'none' };
    if (authType === 'basic') return basic(credentials);
    const path = await this.#sessionsPath();
    const request = { method: 'POST', path } as const;
    const reply = await this.#http.request({
      ...request,
      body: { UserName: credentials.username, Password: credentials.password.reveal() },
      signal: this.#closed.signal,
      repeatable: true,
    });
    const token = reply.headers.get('x-auth-token');
    if (reply.status < 300 && token !== null) {
      this.#log.debug({ bmc: this.#http.address }, 'Logged in to the BMC.');
      return { kind: 'session', token: Secret.of(token), path: sessionPath(reply) };
    }
    const isFull = isSessionLimit(reply.body);
    const isRefused = reply.status === 401 || reply.status === 403;
    const isFailure = reply.status >= 500 && reply.status !== 501;
    if (!isFull && (isRefused || isFailure)) throw this.#http.fault(request, reply);
    if (authType === 'session') throw this.#noSession(request, reply);
    const facts = { bmc: this.#http.address, status: reply.status };
    this.#log.info(facts, 'The BMC gives no session; using basic authentication.');
    return basic(credentials);
  }

  #noSession(request: { readonly method: 'POST'; readonly path: string }, reply: RedfishReply): IronbarkError {
    if (reply.status < 300) return this.#http.malformed(request, 'a session without a token (X-Auth-Token)');
    const fault = this.#http.fault(request, reply);
    const hint = isSessionLimit(reply.body)
      ? 'All sessions of the BMC are in use: end some, or set the auth type to "auto" or "basic".'
      : 'Set the auth type to "auto" or "basic" for a BMC without sessions.';
    return new IronbarkError(fault.code, fault.message, {
      hint,
      retryable: fault.retryable,
      details: fault.details ?? {},
    });
  }

  /** The service root is readable without authentication; services that refuse even that have sessions in the usual place. */
  async #sessionsPath(): Promise<string> {
    const reply = await this.#http.request({ method: 'GET', path: rootPath, signal: this.#closed.signal });
    if (reply.status === 404) throw this.#http.fault({ method: 'GET', path: rootPath }, reply);
    const root = isJsonObject(reply.body) ? reply.body : undefined;
    return linkAt(objectAt(root, 'Links'), 'Sessions') ?? defaultSessionsPath;
  }
}

export function authenticationHeaders(authentication: Authentication): Readonly<Record<string, string>> {
  if (authentication.kind === 'basic') return { authorization: authentication.header.reveal() };
  return authentication.kind === 'session' ? { 'x-auth-token': authentication.token.reveal() } : {};
}

function basic({ username, password }: RedfishCredentials): Authentication {
  const encode = () => Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64');
  return { kind: 'basic', header: Secret.lazy(() => `Basic ${encode()}`) };
}

function sessionPath({ headers, body }: RedfishReply): string | undefined {
  return headers.get('location') ?? (isJsonObject(body) ? textAt(body, '@odata.id') : undefined);
}

import type { Logger } from '@ironbark/core';
import { authenticationHeaders, Authenticator, rootPath, type Authentication } from './authenticator.ts';
import { asksForReset } from './extended-info.ts';
import { defaultPatience, type RedfishConnection, type RedfishPatience } from './connection.ts';
import { isJsonObject, textAt, type JsonObject } from './json.ts';
import { RedfishHttp, type RedfishReply, type RedfishRequest } from './redfish-http.ts';
import { awaitTask } from './task-monitor.ts';

export interface RedfishClientOptions {
  readonly log: Logger;
  /** Default: {@link defaultPatience}. */
  readonly patience?: Partial<RedfishPatience>;
  /** What the driver_info keys of this BMC begin with, for hints. Default: `redfish_`. */
  readonly keyPrefix?: string;
}

/** `delayed`: the BMC asks for a reset of the system, and may show the old value until then. */
export type PatchResult = 'made' | 'delayed';

/** A resource as it was when it was read. */
export interface RedfishResource {
  readonly path: string;
  /** Entity tag; undefined when the service gives none. */
  readonly etag: string | undefined;
  readonly body: JsonObject;
}

/**
 * The Redfish service of one BMC: DSP0266. Logs in when needed, once more when the session has expired, and waits for tasks.
 *
 * Errors of every call: BMC_UNREACHABLE (network, TLS, timeout), BMC_UNAUTHORIZED (401, 403), BMC_UNSUPPORTED (404, 405, 501, and
 * what the BMC's messages name as impossible), BMC_FAILURE (the rest), the reason of the abort. `details` holds `address`,
 * `method`, `path` and, where there was an answer, `status` and `messageIds`.
 */
export class RedfishClient implements AsyncDisposable {
  readonly patience: RedfishPatience;
  /** What the driver_info keys of this BMC begin with. */
  readonly keyPrefix: string;
  readonly log: Logger;
  readonly #http: RedfishHttp;
  readonly #authenticator: Authenticator;
  #root: RedfishResource | undefined;
  #closing: Promise<void> | undefined;

  constructor(connection: RedfishConnection, options: RedfishClientOptions) {
    this.patience = { ...defaultPatience, ...options.patience };
    this.log = options.log;
    this.keyPrefix = options.keyPrefix ?? 'redfish_';
    this.#http = new RedfishHttp(connection, this.patience, this.keyPrefix, options.log);
    this.#authenticator = new Authenticator(this.#http, connection, options.log);
  }

  get address(): string {
    return this.#http.address;
  }

  async get(path: string, signal: AbortSignal): Promise<RedfishResource> {
    const request = { method: 'GET', path, signal } as const;
    const reply = this.#accept(request, await this.#send(request));
    if (!isJsonObject(reply.body)) throw this.#http.malformed(request, 'an answer that is no resource');
    const etag = reply.headers.get('etag') ?? textAt(reply.body, '@odata.etag');
    return { path, etag, body: reply.body };
  }

  /** The service root, read once. */
  async root(signal: AbortSignal): Promise<RedfishResource> {
    this.#root ??= await this.get(rootPath, signal);
    return this.#root;
  }

  /**
   * Changes properties of a resource, on the condition that it is as it was read where it has an entity tag. Returns when the task
   * is done that the BMC may make of it, unless the options say otherwise.
   * @returns what the BMC says about when the change counts.
   */
  async patch(
    resource: RedfishResource,
    body: object,
    signal: AbortSignal,
    options: { readonly awaitsTask?: boolean } = {},
  ): Promise<PatchResult> {
    const request = { method: 'PATCH', path: resource.path, body, signal } as const;
    let reply: RedfishReply | undefined;
    for await (const etag of this.#conditions(resource, signal)) {
      reply = await this.#send({ ...request, headers: etag === null ? {} : { 'if-match': etag } });
      if (reply.status !== 412 && reply.status !== 428) break;
    }
    if (reply === undefined) return 'made';
    if (options.awaitsTask === false) this.#accept(request, reply);
    else await this.#finish(request, reply);
    return asksForReset(reply.body) ? 'delayed' : 'made';
  }

  /** Runs an action. Returns when the task is done that the BMC may make of it. */
  async post(path: string, body: object, signal: AbortSignal): Promise<void> {
    const request = { method: 'POST', path, body, signal } as const;
    await this.#finish(request, await this.#send(request));
  }

  /** Logs out and closes the connections. Requests that are under way fail. */
  async close(): Promise<void> {
    this.#closing ??= this.#authenticator.close().then(() => this.#http.close());
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Values of If-Match to try, null for none: changes are absolute, so a resource that has changed since is no obstacle; some
   * services accept only the strong form of the weak tag that they sent, or none at all.
   */
  async *#conditions(resource: RedfishResource, signal: AbortSignal): AsyncGenerator<string | null> {
    yield resource.etag ?? null;
    const { etag } = await this.get(resource.path, signal);
    yield etag ?? '*';
    if (etag?.startsWith('W/') === true) yield etag.slice(2);
    yield null;
  }

  async #send(request: RedfishRequest): Promise<RedfishReply> {
    const { signal } = request;
    const authentication = await this.#authenticator.authenticate(signal);
    const reply = await this.#http.request(withAuthentication(request, authentication));
    if (reply.status !== 401) return reply;
    const renewed = await this.#authenticator.renew(authentication, signal);
    return renewed === undefined ? reply : this.#http.request(withAuthentication(request, renewed));
  }

  #accept(request: RedfishRequest, reply: RedfishReply): RedfishReply {
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw this.#http.fault(request, reply);
  }

  async #finish(request: RedfishRequest, reply: RedfishReply): Promise<void> {
    this.#accept(request, reply);
    if (reply.status !== 202) return;
    const look = async (path: string) => this.#send({ method: 'GET', path, signal: request.signal });
    await awaitTask(this.#http, { request, reply, look, patience: this.patience, log: this.log });
  }
}

function withAuthentication(request: RedfishRequest, authentication: Authentication): RedfishRequest {
  return { ...request, headers: { ...request.headers, ...authenticationHeaders(authentication) } };
}

import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { loopback } from '../loopback.ts';
import type { Certificate } from './certificate.ts';
import { Faults, type Fault } from './faults.ts';
import { SimulatedMachine, type Machine } from './machine.ts';
import { errorBody, RedfishError } from './redfish-error.ts';
import { rootPath, uuidOf } from './resources.ts';
import { addRoutes } from './routes.ts';
import { Sessions } from './sessions.ts';
import { BmcSystem } from './system.ts';

export interface BmcOptions {
  /** Default: "admin". */
  readonly username?: string;
  /** Default: "password". */
  readonly password?: string;
  readonly maxSessions?: number;
  readonly sessionTimeoutMs?: number;
  /** Serves https with this certificate; without it plain http. */
  readonly certificate?: Certificate;
  /** Default: a free one. */
  readonly port?: number;
}

/** One request that a BMC answered. */
export interface BmcRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    lateFault: Fault | undefined;
  }
}

/** A Redfish service (DSP0266) on loopback that manages any number of systems, each with a manager of its own. */
export class BmcSimulator {
  readonly events = new EventEmitter<{ request: [BmcRequest] }>();
  readonly username: string;
  readonly password: string;
  readonly sessions: Sessions;
  /** Faults of the whole service, the session service included. */
  readonly faults = new Faults();
  readonly #systems = new Map<string, BmcSystem>();
  readonly #certificate: Certificate | undefined;
  readonly #server: FastifyInstance;
  #url = '';

  private constructor(options: BmcOptions) {
    this.username = options.username ?? 'admin';
    this.password = options.password ?? 'password';
    const { maxSessions, sessionTimeoutMs } = options;
    this.sessions = new Sessions({ username: this.username, password: this.password, maxSessions, sessionTimeoutMs });
    this.#certificate = options.certificate;
    this.#server = createServer(options.certificate);
    this.#addHooks();
    addRoutes(this.#server, { uuid: uuidOf('lab'), sessions: this.sessions, systems: this.#systems });
  }

  static async start(options: BmcOptions = {}): Promise<BmcSimulator> {
    const bmc = new BmcSimulator(options);
    bmc.#url = await bmc.#server.listen({ host: loopback, port: options.port ?? 0 });
    return bmc;
  }

  /** "http://127.0.0.1:PORT", what a client takes as address. */
  get url(): string {
    return this.#url;
  }

  /** The file that proves the certificate; undefined for plain http. */
  get caFile(): string | undefined {
    return this.#certificate?.caFile;
  }

  get systems(): ReadonlyMap<string, BmcSystem> {
    return this.#systems;
  }

  /** Adds a system that exists only in memory. */
  addSimulatedSystem(id: string, macAddresses: readonly string[] = [macAddressOf(id)]): BmcSystem {
    return this.#add(new BmcSystem({ id, machine: new SimulatedMachine(macAddresses) }));
  }

  /** Adds a system that switches a virtual machine. */
  async addMachine(id: string, machine: Machine): Promise<BmcSystem> {
    const system = new BmcSystem({ id, machine, checkImage });
    await system.prepare();
    return this.#add(system);
  }

  removeSystem(id: string): void {
    this.#systems.delete(id);
  }

  /** Address of a system as a driver takes it: "/redfish/v1/Systems/ID". */
  systemPath(id: string): string {
    return `${rootPath}/Systems/${encodeURIComponent(id)}`;
  }

  /** Stops answering. Machines keep their power. */
  async stop(): Promise<void> {
    await this.#server.close();
  }

  #add(system: BmcSystem): BmcSystem {
    this.#systems.set(system.id, system);
    return system;
  }

  #addHooks(): void {
    const server = this.#server;
    server.decorateRequest('lateFault', undefined);
    server.addHook('onRequest', async (request) => this.#onRequest(request));
    server.addHook('onSend', async (request, reply, payload) => {
      reply.header('OData-Version', '4.0').header('Cache-Control', 'no-cache');
      if (request.lateFault === undefined) return payload;
      if (request.lateFault.kind === 'drop') request.raw.socket.destroy();
      if (request.lateFault.kind === 'status') reply.code(request.lateFault.status);
      return JSON.stringify(errorBody(new RedfishError('GeneralError')));
    });
    server.addHook('onResponse', async (request, reply) => {
      const { method, body } = request;
      this.events.emit('request', { method, path: pathOf(request), body, status: reply.statusCode });
    });
    server.setNotFoundHandler((request) => {
      throw new RedfishError('ResourceMissingAtURI', [request.url]);
    });
    server.setErrorHandler(async (error, _request, reply) => {
      const redfish = toRedfishError(error);
      if (redfish.status === 401) reply.header('WWW-Authenticate', 'Basic realm="Redfish", charset="UTF-8"');
      return reply.code(redfish.status).send(errorBody(redfish));
    });
  }

  async #onRequest(request: FastifyRequest): Promise<void> {
    const path = pathOf(request);
    for (const fault of [...this.faults.take(request.method, path), ...this.#systemFaults(request.method, path)]) {
      await hit(fault, request);
    }
    const token = request.headers['x-auth-token'];
    const isOpen = ['/redfish', rootPath].includes(path) || (request.method === 'POST' && path.endsWith('/Sessions'));
    if (isOpen || this.sessions.authenticate(token?.toString(), request.headers.authorization)) return;
    throw token === undefined
      ? new RedfishError('ResourceAtUriUnauthorized', [request.url, 'invalid credentials'])
      : new RedfishError('NoValidSession');
  }

  #systemFaults(method: string, path: string): readonly Fault[] {
    const id = /^\/redfish\/v1\/(?:Systems|Managers)\/([^/]+)/.exec(path)?.[1];
    const system = id === undefined ? undefined : this.#systems.get(decodeURIComponent(id));
    return system?.hasFaults === true ? system.faults.take(method, path) : [];
  }
}

async function hit(fault: Fault, request: FastifyRequest): Promise<void> {
  if (fault.kind === 'delay') {
    const gone = new AbortController();
    request.raw.socket.once('close', () => gone.abort());
    await delay(fault.milliseconds, undefined, { signal: gone.signal });
    return;
  }
  if (fault.afterEffect === true) {
    request.lateFault = fault;
    return;
  }
  if (fault.kind === 'drop') request.raw.socket.destroy();
  throw new RedfishError('GeneralError', [], fault.kind === 'status' ? fault.status : 500);
}

function createServer(certificate: Certificate | undefined): FastifyInstance {
  const common = { forceCloseConnections: true, routerOptions: { ignoreTrailingSlash: true } } as const;
  if (certificate === undefined) return fastify(common);
  const https = { key: certificate.key, cert: certificate.certificate };
  return fastify({ ...common, https });
}

function pathOf(request: FastifyRequest): string {
  return (request.url.split('?')[0] ?? '').replace(/(?<=.)\/+$/, '');
}

function toRedfishError(error: unknown): RedfishError {
  if (error instanceof RedfishError) return error;
  const { statusCode } = error as { statusCode?: number };
  if (error instanceof SyntaxError || statusCode === 400) return new RedfishError('MalformedJSON');
  if (statusCode === 413 || statusCode === 415) return new RedfishError('UnrecognizedRequestBody', [], statusCode);
  return new RedfishError('InternalError', [String(error)]);
}

async function checkImage(url: string): Promise<void> {
  const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  if (response?.ok !== true) throw new RedfishError('CouldNotEstablishConnection', [url]);
}

/** The same locally administered address for the same name. */
function macAddressOf(id: string): string {
  const digits = uuidOf(id).replaceAll('-', '').slice(-10);
  return `02:${digits.match(/../g)?.join(':')}`;
}

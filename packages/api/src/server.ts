import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { IronbarkError, type Logger } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import fastify, {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type RouteOptions,
} from 'fastify';
import type { Authenticator, AuthOptions, Identity } from './auth/authenticator.ts';
import { createAuthenticator } from './auth/create-authenticator.ts';
import { addBodyParsers } from './body-parsers.ts';
import type { ApiContext } from './context.ts';
import { errorBody, resourceNotFound, toIronbarkError } from './errors.ts';
import { baseUrl } from './links.ts';
import { versionRange } from './microversion-table.ts';
import { limitHeaders, negotiateVersion, versionHeaders } from './microversion.ts';
import { describeApi } from './openapi.ts';
import { authorize, isPublic } from './policy.ts';
import { route } from './route.ts';
import { registerChassis } from './routes/chassis.ts';
import { registerConductors } from './routes/conductors.ts';
import { registerDrivers } from './routes/drivers.ts';
import { registerEmptyResources } from './routes/empty-resources.ts';
import { registerIronbark } from './routes/ironbark.ts';
import { registerNodeHistory } from './routes/node-history.ts';
import { registerNodeLists } from './routes/node-list.ts';
import { registerNodeManagement } from './routes/node-management.ts';
import { registerNodeStates } from './routes/node-states.ts';
import { registerNodeTraits } from './routes/node-traits.ts';
import { registerNodeVendor } from './routes/node-vendor.ts';
import { registerNodeVifs } from './routes/node-vifs.ts';
import { registerNodes } from './routes/nodes.ts';
import { registerPorts } from './routes/ports.ts';
import { registerRamdisk } from './routes/ramdisk.ts';
import { registerRoot } from './routes/root.ts';
import { registerUnsupported } from './routes/unsupported.ts';
import { registerVolumes } from './routes/volume.ts';
import { validatorCompiler } from './schemas/compiler.ts';
import { anyObject } from './schemas/responses.ts';

export interface ApiOptions {
  readonly engine: Engine;
  readonly log: Logger;
  readonly auth: AuthOptions;
  /** Address that links begin with, for example behind a proxy. Default: what the request says it was sent to. */
  readonly publicUrl?: string;
  /** Version of Ironbark, for the OpenAPI document and the health report. */
  readonly version: string;
}

/** Of addresses that no route has. */
const noConfig: Partial<FastifyContextConfig> = {};

const bodyLimit = 1024 * 1024;
/** A whole request must have arrived by then: a config drive over a slow line takes its time. */
const requestTimeoutMs = 300_000;

/**
 * The Bare Metal API over an engine, not listening yet.
 * @throws CONFIG_INVALID when what authentication needs cannot be used.
 */
export function createApi(options: ApiOptions): FastifyInstance {
  const { engine, log, version } = options;
  const authenticator = createAuthenticator(options.auth, log);
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const routes: RouteOptions[] = [];
  const app = createFastify(log);

  app.decorate('apiRoutes', routes);
  app.decorateRequest('minor', versionRange.min);
  app.decorateRequest('identity', null as unknown as Identity);
  app.decorateRequest('base', {
    getter() {
      return baseUrl(this, publicUrl);
    },
  });
  addBodyParsers(app);
  app.setValidatorCompiler(validatorCompiler);
  app.addHook('onRoute', (added) => void routes.push(added));
  app.addHook('onRequest', (request, reply) => admit(request, reply, authenticator));
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Fastify would add a character set, which JSON has not and the Bare Metal service does not send.
    if (typeof payload === 'string') reply.header('content-type', 'application/json');
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(log, request, reply);
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const failure = toIronbarkError(error);
    if (failure.status >= 500) logFailure(log, request, failure);
    if (failure.status === 401 && authenticator.challenge !== undefined)
      reply.header('www-authenticate', authenticator.challenge);
    const body = failure.status === 401 ? authenticator.refusalBody : undefined;
    return reply.code(failure.status).send(body ?? errorBody(failure));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methodsAt(routes, path);
    if (allowed.length === 0) throw resourceNotFound();
    reply.header('allow', allowed.join(', '));
    throw new IronbarkError('METHOD_NOT_ALLOWED', `The method ${request.method} is not allowed for this resource.`, {
      hint: `Allowed: ${allowed.join(', ')}.`,
    });
  });

  registerRoutes(app, { engine, log, version });
  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/openapi.json',
      rule: 'public',
      summary: 'This description of the API',
      responses: { 200: anyObject },
    },
    (request) => describeApi(routes, version, request.base),
  );
  return app;
}

function createFastify(log: Logger): FastifyInstance {
  return fastify({
    logger: false,
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    genReqId: () => `req-${randomUUID()}`,
    requestIdHeader: false,
    rewriteUrl: (request) => withVersion(request.url ?? '/'),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    // Named here so that Fastify does not load its own, which take tens of milliseconds and megabytes.
    schemaController: { compilersFactory },
    frameworkErrors: (error, request, reply) => answerFrameworkError(log, error, request as never, reply as never),
    clientErrorHandler: (_error, socket) => refuseMalformed(socket),
  });
}

const compilersFactory = {
  buildValidator: () => validatorCompiler,
  buildSerializer: () => () => JSON.stringify,
} as unknown as NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** Answers what fails before any route is found; no hook has run then. */
function answerFrameworkError(log: Logger, error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const failure = toIronbarkError(error);
  if (failure.status >= 500) logFailure(log, request, failure);
  const body = JSON.stringify(errorBody(failure));
  reply.hijack();
  reply.raw.writeHead(failure.status, {
    ...limitHeaders,
    'openstack-request-id': request.id,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  reply.raw.end(body);
}

/** Clients may leave out the version; see the bookmark links. */
function withVersion(url: string): string {
  return /^\/(?:v1(?=[/?]|$)|ironbark\/|\?|$)/.test(url) ? url : `/v1${url}`;
}

/** What is no HTTP gets an answer in the usual form, and no second chance. */
function refuseMalformed(socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody(new IronbarkError('INVALID_PARAMETER', 'The request is not valid HTTP.')));
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

/** What comes before every route, known or not: which version is spoken, who asks, and whether that may use the route. */
async function admit(request: FastifyRequest, reply: FastifyReply, authenticator: Authenticator): Promise<void> {
  const { rule, since } = request.routeOptions.config ?? noConfig;
  reply.headers(limitHeaders).header('openstack-request-id', request.id);
  if (!request.url.startsWith('/ironbark/')) {
    request.minor = negotiateVersion(request.headers);
    reply.headers(versionHeaders[request.minor] ?? limitHeaders);
  }
  const isPublicRoute = rule !== undefined && isPublic(rule);
  if (!isPublicRoute) request.identity = await authenticator.authenticate(request);
  if (since !== undefined && request.minor < since) throw resourceNotFound();
  if (rule !== undefined && !isPublicRoute) authorize(request.identity, rule);
}

/** Addresses are logged as route patterns: the real ones may hold a token. */
function logRequest(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const facts = {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
  };
  if (request.method === 'GET' || request.method === 'HEAD') log.debug(facts, 'Request');
  else log.info({ ...facts, user: request.identity?.user }, 'Request');
}

function logFailure(log: Logger, request: FastifyRequest, failure: IronbarkError): void {
  const err = failure.code === 'INTERNAL' ? (failure.cause ?? failure) : failure;
  log.error(
    { requestId: request.id, method: request.method, route: request.routeOptions.url, err },
    'A request failed',
  );
}

function methodsAt(routes: readonly RouteOptions[], path: string): readonly string[] {
  const matching = routes.filter(({ url }) => pathExpression(url).test(path));
  return [...new Set(matching.flatMap(({ method }) => method))];
}

function pathExpression(url: string): RegExp {
  return new RegExp(`^${url.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}/?$`);
}

function registerRoutes(app: FastifyInstance, context: ApiContext): void {
  registerRoot(app);
  registerNodeLists(app, context);
  registerNodes(app, context);
  registerNodeStates(app, context);
  registerNodeManagement(app, context);
  registerNodeTraits(app, context);
  registerNodeVifs(app, context);
  registerNodeVendor(app, context);
  registerNodeHistory(app, context);
  registerPorts(app, context);
  registerChassis(app, context);
  registerVolumes(app, context);
  registerDrivers(app, context);
  registerConductors(app, context);
  registerEmptyResources(app, context);
  registerUnsupported(app, context);
  registerRamdisk(app, context);
  registerIronbark(app, context);
}

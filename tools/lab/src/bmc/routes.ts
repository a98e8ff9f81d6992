import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { RedfishError, resetRequired } from './redfish-error.ts';
import {
  ejectAction,
  insertAction,
  managerPath,
  mediaIds,
  renderBios,
  renderCollection,
  renderEthernetInterface,
  renderManager,
  renderMedia,
  renderPendingBios,
  renderRoot,
  renderSecureBoot,
  renderSession,
  renderSessionService,
  renderSystem,
  resetAction,
  rootPath,
  sessionPath,
  systemPath,
  type Resource,
} from './resources.ts';
import type { SecureBoot } from './secure-boot.ts';
import type { Sessions } from './sessions.ts';
import { resetTypes, type BmcSystem, type MediaId } from './system.ts';

/** What the routes work on. */
export interface Service {
  readonly uuid: string;
  readonly sessions: Sessions;
  readonly systems: ReadonlyMap<string, BmcSystem>;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Handler = (request: FastifyRequest, reply: FastifyReply) => Resource | undefined | Promise<Resource | undefined>;
const methods: readonly Method[] = ['GET', 'POST', 'PATCH', 'DELETE'];

/** Adds all resources; a method that a resource lacks is answered with 405 and `Allow`. */
export function addRoutes(server: FastifyInstance, service: Service): void {
  const route = (url: string, handlers: Partial<Record<Method, Handler>>): void => {
    const allowed = methods.filter((method) => handlers[method] !== undefined);
    for (const method of [...methods, 'PUT'] satisfies HTTPMethods[]) {
      const handler = method === 'PUT' ? undefined : handlers[method];
      server.route({ method, url, handler: async (request, reply) => answer(handler, allowed, request, reply) });
    }
  };
  addServiceRoutes(route, service);
  addSystemRoutes(route, (request) => find(service, request));
  addManagerRoutes(route, (request) => find(service, request));
  const ids = (): readonly string[] => [...service.systems.keys()];
  route(`${rootPath}/Systems`, {
    GET: () => renderCollection('ComputerSystem', `${rootPath}/Systems`, ids().map(systemPath)),
  });
  route(`${rootPath}/Managers`, {
    GET: () => renderCollection('Manager', `${rootPath}/Managers`, ids().map(managerPath)),
  });
}

type AddRoute = (url: string, handlers: Partial<Record<Method, Handler>>) => void;
type Find = (request: FastifyRequest) => BmcSystem;

async function answer(
  handler: Handler | undefined,
  allowed: readonly Method[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (handler === undefined) {
    reply.header('Allow', allowed.join(', '));
    throw new RedfishError('OperationNotAllowed');
  }
  const body = await handler(request, reply);
  const etag = body?.['@odata.etag'];
  if (typeof etag === 'string') reply.header('ETag', etag);
  return body === undefined ? reply.code(204).send() : reply.send(body);
}

function addServiceRoutes(route: AddRoute, { uuid, sessions }: Service): void {
  route('/redfish', { GET: () => ({ v1: `${rootPath}/` }) });
  route(rootPath, { GET: () => renderRoot(uuid) });
  route(`${rootPath}/SessionService`, { GET: () => renderSessionService(sessions.timeoutMs) });
  const collection = `${rootPath}/SessionService/Sessions`;
  route(collection, {
    GET: () =>
      renderCollection(
        'Session',
        collection,
        sessions.list().map((session) => sessionPath(session.id)),
      ),
    POST: (request, reply) => {
      const body = bodyOf(request);
      const session = sessions.create(body['UserName'], body['Password']);
      reply.code(201).header('Location', sessionPath(session.id)).header('X-Auth-Token', session.token);
      return renderSession(session);
    },
  });
  route(`${collection}/:session`, {
    GET: (request) => {
      const session = sessions.get(parameter(request, 'session'));
      if (session === undefined) throw missing(request);
      return renderSession(session);
    },
    DELETE: (request) => {
      if (!sessions.delete(parameter(request, 'session'))) throw missing(request);
      return undefined;
    },
  });
}

function addSystemRoutes(route: AddRoute, systemOf: Find): void {
  const path = `${rootPath}/Systems/:id`;
  route(path, {
    GET: (request) => renderSystem(systemOf(request)),
    PATCH: async (request) => {
      const system = systemOf(request);
      assertCurrent(request, system);
      const { Boot: boot, ...rest } = bodyOf(request);
      const [other] = Object.keys(rest);
      if (other !== undefined) {
        throw new RedfishError(other in renderSystem(system) ? 'PropertyNotWritable' : 'PropertyUnknown', [other]);
      }
      if (boot === undefined) throw new RedfishError('PropertyMissing', ['Boot']);
      const needsReset = await system.patchBoot(boot);
      return { ...renderSystem(system), ...(needsReset ? resetRequired : {}) };
    },
  });
  route(`${path}/${resetAction}`, {
    POST: async (request) => {
      const system = systemOf(request);
      const { ResetType: type, ...rest } = bodyOf(request);
      assertNoMore(rest, resetAction);
      if (type === undefined) throw new RedfishError('ActionParameterMissing', ['ComputerSystem.Reset', 'ResetType']);
      const known = resetTypes.find((each) => each === type);
      if (known === undefined) {
        throw new RedfishError('ActionParameterValueNotInList', [
          JSON.stringify(type),
          'ResetType',
          'ComputerSystem.Reset',
        ]);
      }
      await system.reset(known);
      return undefined;
    },
  });
  const secureBootOf = (request: FastifyRequest): SecureBoot => {
    const { secureBoot } = systemOf(request);
    if (secureBoot === undefined) throw missing(request);
    return secureBoot;
  };
  route(`${path}/SecureBoot`, {
    GET: (request) => renderSecureBoot(systemOf(request), secureBootOf(request)),
    PATCH: (request) => {
      const [system, secureBoot] = [systemOf(request), secureBootOf(request)];
      assertCurrent(request, system);
      const needsReset = system.patchSecureBoot(secureBoot, bodyOf(request));
      return { ...renderSecureBoot(system, secureBoot), ...(needsReset ? resetRequired : {}) };
    },
  });
  route(`${path}/Bios`, { GET: (request) => renderBios(systemOf(request)) });
  route(`${path}/Bios/Settings`, {
    GET: (request) => renderPendingBios(systemOf(request)),
    PATCH: (request) => {
      const system = systemOf(request);
      system.patchBios(bodyOf(request)['Attributes']);
      return renderPendingBios(system);
    },
  });
  route(`${path}/EthernetInterfaces`, {
    GET: (request) => {
      const { id, machine } = systemOf(request);
      const own = `${systemPath(id)}/EthernetInterfaces`;
      return renderCollection(
        'EthernetInterface',
        own,
        machine.macAddresses.map((_, index) => `${own}/${index + 1}`),
      );
    },
  });
  route(`${path}/EthernetInterfaces/:card`, {
    GET: (request) => {
      const system = systemOf(request);
      const index = Number(parameter(request, 'card')) - 1;
      if (system.machine.macAddresses[index] === undefined) throw missing(request);
      return renderEthernetInterface(system, index);
    },
  });
}

function addManagerRoutes(route: AddRoute, systemOf: Find): void {
  const path = `${rootPath}/Managers/:id`;
  const mediaOf = (request: FastifyRequest): MediaId => {
    const id = mediaIds.find((each) => each === parameter(request, 'media'));
    if (id === undefined) throw missing(request);
    return id;
  };
  route(path, { GET: (request) => renderManager(systemOf(request)) });
  route(`${path}/VirtualMedia`, {
    GET: (request) => {
      const own = `${managerPath(systemOf(request).id)}/VirtualMedia`;
      return renderCollection(
        'VirtualMedia',
        own,
        mediaIds.map((id) => `${own}/${id}`),
      );
    },
  });
  route(`${path}/VirtualMedia/:media`, { GET: (request) => renderMedia(systemOf(request), mediaOf(request)) });
  route(`${path}/VirtualMedia/:media/${insertAction}`, {
    POST: async (request) => {
      const { Image: image, Inserted: inserted, WriteProtected: writeProtected = true, ...rest } = bodyOf(request);
      const { UserName, Password, TransferMethod, TransferProtocolType, ...unknown } = rest;
      void [UserName, Password, TransferMethod, TransferProtocolType];
      assertNoMore(unknown, 'VirtualMedia.InsertMedia');
      if (image === undefined) throw new RedfishError('ActionParameterMissing', ['VirtualMedia.InsertMedia', 'Image']);
      assertType('Image', image, 'string', 'VirtualMedia.InsertMedia');
      assertType('Inserted', inserted ?? true, 'boolean', 'VirtualMedia.InsertMedia');
      assertType('WriteProtected', writeProtected, 'boolean', 'VirtualMedia.InsertMedia');
      const media = { image: image as string, writeProtected: writeProtected as boolean };
      await systemOf(request).insertMedia(mediaOf(request), media);
      return undefined;
    },
  });
  route(`${path}/VirtualMedia/:media/${ejectAction}`, {
    POST: async (request) => {
      assertNoMore(bodyOf(request), 'VirtualMedia.EjectMedia');
      await systemOf(request).ejectMedia(mediaOf(request));
      return undefined;
    },
  });
}

function find(service: Service, request: FastifyRequest): BmcSystem {
  const system = service.systems.get(parameter(request, 'id'));
  if (system === undefined) throw missing(request);
  return system;
}

function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}

function missing(request: FastifyRequest): RedfishError {
  return new RedfishError('ResourceMissingAtURI', [request.url]);
}

function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) throw new RedfishError('UnrecognizedRequestBody');
  return body as Record<string, unknown>;
}

function assertNoMore(rest: Readonly<Record<string, unknown>>, action: string): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new RedfishError('ActionParameterUnknown', [action, unknown]);
}

function assertType(name: string, value: unknown, type: 'string' | 'boolean', action: string): void {
  if (typeof value === type) return;
  throw new RedfishError('ActionParameterValueTypeError', [JSON.stringify(value), name, action]);
}

function assertCurrent(request: FastifyRequest, system: BmcSystem): void {
  const match = request.headers['if-match'];
  if (match === undefined && system.quirks.requiresEtag === true) throw new RedfishError('PreconditionRequired');
  if (match !== undefined && match !== '*' && match !== system.etag) throw new RedfishError('PreconditionFailed');
}

import { IronbarkError, isIronbarkError, notFound } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { versionRange } from '../microversion-table.ts';
import { isUuid, nodeIdent, recordUuid } from '../names.ts';
import { reachesAllNodes, reachesNode, readNode, requireOwnNode } from '../ownership.ts';
import { readLimit } from '../pagination.ts';
import { forbidden } from '../policy.ts';
import { route } from '../route.ts';
import { text } from '../schemas/fields.ts';
import { anyObject, listOf, operationResponse, planResponse } from '../schemas/responses.ts';
import { EventStreams } from '../sse.ts';
import { renderOperation, renderPlan } from '../views/operation.ts';

const newest = versionRange.max;
const operationsByDefault = 20;
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** What Ironbark has beyond the Bare Metal API. Not versioned by the version headers. */
export function registerIronbark(app: FastifyInstance, context: ApiContext): void {
  registerOperations(app, context);
  registerEvents(app, context);
  registerBootReport(app, context);
  const { engine } = context;

  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/nodes/:ident/plan',
      rule: 'ironbark:plan:get',
      summary: 'What a deployment of the node would do now; nothing is touched',
      responses: { 200: planResponse },
    },
    async (request) => renderPlan(await engine.plan(nodeIdent(request.params.ident, newest))),
  );

  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/metrics',
      rule: 'ironbark:metrics:get',
      summary: 'What was counted since the start, in the text format of Prometheus',
      responses: { 200: { type: 'string', description: metricsType } },
    },
    async (_request, reply) => {
      // As bytes: text would be sent as JSON.
      return reply.type(metricsType).send(Buffer.from(await engine.metrics()));
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/health',
      rule: 'ironbark:health:get',
      summary: 'Whether the conductor serves, and which others are alive',
      responses: { 200: anyObject },
    },
    async () => ({
      status: 'ok',
      hostname: engine.hostname,
      version: context.version,
      uptime_seconds: Math.round(process.uptime()),
      conductors: (await engine.listConductors()).map(({ hostname, alive }) => ({ hostname, alive })),
    }),
  );
}

function registerOperations(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/nodes/:ident/operations',
      rule: 'ironbark:operation:list',
      summary: 'List the operations of a node with their steps, the newest first',
      query: { type: 'object', properties: { limit: { type: 'integer' } }, additionalProperties: false },
      responses: { 200: listOf('operations', operationResponse) },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, newest);
      const limit = readLimit(request.query.limit ?? operationsByDefault);
      await requireOwnNode(engine, request.identity, ident);
      const operations = await engine.operations.list(ident, limit);
      return { operations: operations.map((operation) => renderOperation(operation, request.base)) };
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/operations/:uuid',
      rule: 'ironbark:operation:get',
      summary: 'Show an operation with its steps',
      responses: { 200: operationResponse },
    },
    async (request) => {
      const uuid = recordUuid('Operation', request.params.uuid);
      const operation = await engine.operations.get(uuid);
      const { identity } = request;
      if (!reachesAllNodes(identity) && !reachesNode(identity, await engine.nodes.get(operation.nodeUuid)))
        throw notFound('Operation', uuid);
      await requireOwnNode(engine, identity, operation.nodeUuid);
      return renderOperation(operation, request.base);
    },
  );
}

function registerEvents(app: FastifyInstance, { engine }: ApiContext): void {
  const streams = new EventStreams(engine.events);
  app.addHook('preClose', async () => streams.closeAll());

  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/events',
      rule: 'ironbark:event:list',
      summary: 'Stream what happens, as server-sent events',
      query: { type: 'object', properties: { node: text }, additionalProperties: false },
      responses: { 200: { type: 'string', description: 'text/event-stream' } },
      head: false,
    },
    async (request, reply) => {
      const { node: ident } = request.query;
      const { identity } = request;
      if (ident === undefined && !reachesAllNodes(identity))
        throw forbidden('ironbark:event:list', 'Name a node of your project with ?node=.');
      if (ident !== undefined) await requireOwnNode(engine, identity, nodeIdent(ident, newest));
      const nodeUuid =
        ident === undefined ? undefined : (await readNode(engine, identity, nodeIdent(ident, newest))).uuid;
      const lastEventId = request.headers['last-event-id'];
      reply.hijack();
      streams.open(reply.raw, reply.getHeaders() as Record<string, string>, {
        ...(nodeUuid === undefined ? {} : { nodeUuid }),
        ...(typeof lastEventId === 'string' ? { lastEventId } : {}),
      });
      return reply;
    },
  );
}

/** Both come from a machine's firmware over an open network; whatever else they say is left out. */
const hexadecimal = /^(?:0x)?[\da-fA-F]{1,16}$/;

function registerBootReport(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/ironbark/v1/boot-report/:nodeUuid',
      rule: 'public',
      summary: 'A machine says that it could not boot',
      query: { type: 'object', properties: { token: text, errno: text, drive: text } },
      responses: { 200: { type: 'string' } },
      head: false,
    },
    async (request, reply) => {
      const { nodeUuid } = request.params;
      // In the query, because iPXE prints the path of what it fetches on the machine's console.
      const { token = '', errno, drive } = request.query;
      const report = {
        ...(errno !== undefined && hexadecimal.test(errno) ? { errno } : {}),
        ...(drive !== undefined && hexadecimal.test(drive) ? { drive } : {}),
      };
      if (!isUuid(nodeUuid)) throw unknownReport();
      try {
        await engine.reportBootFailure(nodeUuid.toLowerCase(), token, report);
      } catch (error) {
        throw isIronbarkError(error) && error.status < 500 ? unknownReport() : error;
      }
      // Not 204: iPXE would wait for a body until it gives up.
      return reply.code(200).type('text/plain').send('');
    },
  );
}

/** The same for every wrong address, so that it tells nothing about which nodes there are. */
function unknownReport(): IronbarkError {
  return new IronbarkError('NOT_FOUND', 'There is no boot to report on at this address.');
}

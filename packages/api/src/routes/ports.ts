import type { InfoValue } from '@ironbark/core';
import type { PortInput } from '@ironbark/engine';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listChildren, readChild, refuseMove, requireChild } from '../child-records.ts';
import type { ApiContext } from '../context.ts';
import { asBadRequest } from '../errors.ts';
import { portCreateSchema, portInputs, portPatchFields } from '../inputs/port.ts';
import { givenFields, patchRecord, readInput } from '../inputs/write-record.ts';
import { patchSchema, readPatch } from '../json-patch.ts';
import { portFieldVersions } from '../microversion-table.ts';
import { rejectNewer } from '../microversion.ts';
import { nodeIdent, recordUuid } from '../names.ts';
import { readNode, requireOwnNode } from '../ownership.ts';
import { nextPage, readPage } from '../pagination.ts';
import { created, noContent, route } from '../route.ts';
import { fieldsQuery, pageQuery, text, uuid } from '../schemas/fields.ts';
import type { JsonSchema, Static } from '../schemas/json-schema.ts';
import { listOf, portResponse } from '../schemas/responses.ts';
import { portResource, portSortKeys, renderPort } from '../views/port.ts';
import { selectFields, selectForList, type Wire } from '../views/selection.ts';

const filters = { ...pageQuery, node: text, node_uuid: uuid, address: text } as const;
const detailQuery = {
  type: 'object',
  properties: filters,
  additionalProperties: false,
} as const satisfies JsonSchema;
const listQuery = {
  type: 'object',
  properties: { ...filters, fields: fieldsQuery, detail: { type: 'boolean' } },
  additionalProperties: false,
} as const satisfies JsonSchema;

export function registerPorts(app: FastifyInstance, { engine }: ApiContext): void {
  async function list(
    request: FastifyRequest,
    query: Static<typeof listQuery>,
    fields: readonly string[] | undefined,
  ): Promise<Wire> {
    const { base, minor, identity } = request;
    const page = readPage(query, portSortKeys);
    const ident = query.node_uuid ?? query.node;
    const node = ident === undefined ? undefined : await readNode(engine, identity, nodeIdent(ident, minor));
    const filter = {
      ...(node === undefined ? {} : { nodeUuid: node.uuid }),
      ...(query.address === undefined ? {} : { address: query.address.toLowerCase() }),
    };
    const ports = await listChildren(engine, identity, engine.ports, { ...page, filter });
    return {
      ports: ports.map((port) => renderPort(port, base, minor, fields)),
      next: nextPage(base, request.url, ports.length, page.limit, ports.at(-1)?.uuid),
    };
  }

  const rule = 'baremetal:port:list';
  const responses = { 200: listOf('ports', portResponse) };
  route(app, { method: 'GET', url: '/v1/ports', rule, summary: 'List ports', query: listQuery, responses }, (request) =>
    list(request, request.query, selectForList(portResource, request.query, request.minor)),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/ports/detail',
      rule,
      summary: 'List ports with all their fields',
      query: detailQuery,
      responses,
    },
    (request) => list(request, request.query, undefined),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/ports',
      rule,
      summary: 'List the ports of a node',
      query: listQuery,
      responses,
    },
    (request) => {
      const { node_uuid: _uuid, ...query } = request.query;
      const fields = selectForList(portResource, query, request.minor);
      return list(request, { ...query, node: request.params.ident }, fields);
    },
  );

  route(
    app,
    {
      method: 'POST',
      url: '/v1/ports',
      rule: 'baremetal:port:create',
      summary: 'Create a port of a node',
      body: portCreateSchema,
      responses: { 201: portResponse },
    },
    async (request, reply) => {
      const body = request.body as Readonly<Record<string, InfoValue>>;
      rejectNewer(givenFields(body), portFieldVersions, request.minor, 'field');
      const input = readInput(portInputs, body) as PortInput;
      await asBadRequest(requireOwnNode(engine, request.identity, input.nodeUuid));
      const port = await asBadRequest(engine.ports.create(input));
      return created(request, reply, `ports/${port.uuid}`).send(renderPort(port, request.base, request.minor));
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/ports/:uuid',
      rule: 'baremetal:port:get',
      summary: 'Show a port',
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: portResponse },
    },
    async (request) => {
      const { minor } = request;
      const fields = selectFields(portResource, request.query.fields, minor);
      const ident = recordUuid('Port', request.params.uuid);
      const port = await readChild(engine, request.identity, engine.ports, ident, 'Port');
      return renderPort(port, request.base, minor, fields);
    },
  );

  route(
    app,
    {
      method: 'PATCH',
      url: '/v1/ports/:uuid',
      rule: 'baremetal:port:update',
      summary: 'Change fields of a port',
      body: patchSchema,
      responses: { 200: portResponse },
    },
    async (request) => {
      const { minor, identity } = request;
      const patch = readPatch(request.body, portPatchFields);
      rejectNewer(patch.fields, portFieldVersions, minor, 'field');
      refuseMove(identity, patch);
      const ident = recordUuid('Port', request.params.uuid);
      await requireChild(engine, identity, engine.ports, ident, 'Port', requireOwnNode);
      const port = await patchRecord(engine.ports, ident, patch, portInputs);
      return renderPort(port, request.base, minor);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/ports/:uuid',
      rule: 'baremetal:port:delete',
      summary: 'Delete a port',
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = recordUuid('Port', request.params.uuid);
      await requireChild(engine, request.identity, engine.ports, ident, 'Port', requireOwnNode);
      await engine.ports.delete(ident);
      return noContent(reply);
    },
  );
}

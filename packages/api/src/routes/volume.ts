import { invalidParameter, type InfoValue, type VolumeConnector, type VolumeTarget } from '@ironbark/core';
import type { RecordService, VolumeTargetChanges } from '@ironbark/engine';
import type { VolumeFilter } from '@ironbark/store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listChildren, readChild, refuseMove, requireChild } from '../child-records.ts';
import type { Identity } from '../auth/authenticator.ts';
import type { ApiContext } from '../context.ts';
import { asBadRequest } from '../errors.ts';
import type { InputFields } from '../inputs/input-field.ts';
import {
  connectorCreateSchema,
  connectorInputs,
  connectorPatchFields,
  targetCreateSchema,
  targetInputs,
  targetPatchFields,
} from '../inputs/volume.ts';
import { patchRecord, readInput } from '../inputs/write-record.ts';
import { patchSchema, readPatch } from '../json-patch.ts';
import { links } from '../links.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent, recordUuid } from '../names.ts';
import { reachesAllNodes, readNode, requireNode } from '../ownership.ts';
import { nextPage, readPage } from '../pagination.ts';
import { created, noContent, route } from '../route.ts';
import { fieldsQuery, pageQuery, text } from '../schemas/fields.ts';
import type { JsonSchema, Static } from '../schemas/json-schema.ts';
import { anyObject, connectorResponse, listOf, targetResponse } from '../schemas/responses.ts';
import type { Viewer } from '../views/node.ts';
import { selectFields, selectForList, type Selectable, type Wire } from '../views/selection.ts';
import {
  connectorResource,
  connectorSortKeys,
  renderConnector,
  renderTarget,
  targetResource,
  targetSortKeys,
} from '../views/volume.ts';

const since = introduced.volumes;

const listQuery = {
  type: 'object',
  properties: { ...pageQuery, node: text, fields: fieldsQuery, detail: { type: 'boolean' } },
  additionalProperties: false,
} as const satisfies JsonSchema;

/** What connectors and targets differ in; everything else about them is the same. */
interface VolumeResource<Row, Changes> {
  /** Name of the list on the wire and in addresses. */
  readonly plural: 'connectors' | 'targets';
  /** For people. */
  readonly label: string;
  readonly service: RecordService<Row, VolumeFilter, never, Changes>;
  readonly inputs: InputFields<Row, Changes>;
  readonly createSchema: JsonSchema;
  readonly patchFields: readonly string[];
  readonly selectable: Selectable;
  readonly sortKeys: Readonly<Record<string, string>>;
  readonly render: (row: Row, viewer: Viewer, fields?: readonly string[]) => Wire;
  readonly response: JsonSchema;
  /** Notes in a new or changed record who is behind it. Default: nothing is noted. */
  readonly sign?: (identity: Identity, changes: Changes, current?: Row) => Changes;
}

export function registerVolumes(app: FastifyInstance, context: ApiContext): void {
  const { engine } = context;
  registerVolumeLinks(app, context);
  registerResource<VolumeConnector, object>(app, context, {
    plural: 'connectors',
    label: 'Volume connector',
    service: engine.volumeConnectors,
    inputs: connectorInputs,
    createSchema: connectorCreateSchema,
    patchFields: connectorPatchFields,
    selectable: connectorResource,
    sortKeys: connectorSortKeys,
    render: renderConnector,
    response: connectorResponse,
  });
  registerResource<VolumeTarget, VolumeTargetChanges>(app, context, {
    plural: 'targets',
    label: 'Volume target',
    service: engine.volumeTargets,
    inputs: targetInputs,
    createSchema: targetCreateSchema,
    patchFields: targetPatchFields,
    selectable: targetResource,
    sortKeys: targetSortKeys,
    render: renderTarget,
    response: targetResponse,
    sign: signTarget,
  });
}

/** The conductor may attach the volumes of every project, so it has to know on whose behalf a volume is named. */
function signTarget(identity: Identity, changes: VolumeTargetChanges, current?: VolumeTarget): VolumeTargetChanges {
  if (changes.volumeId === undefined || changes.volumeId === current?.volumeId) return changes;
  return { ...changes, projectId: reachesAllNodes(identity) ? null : identity.project };
}

function registerVolumeLinks(app: FastifyInstance, { engine }: ApiContext): void {
  const describe = (base: string, path: string) => ({
    links: links(base, path),
    connectors: links(base, `${path}connectors`),
    targets: links(base, `${path}targets`),
  });
  const rule = 'baremetal:volume:list';
  const responses = { 200: anyObject };
  route(
    app,
    { method: 'GET', url: '/v1/volume', rule, since, summary: 'Addresses of the volume records', responses },
    (request) => describe(request.base, 'volume/'),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/volume',
      rule,
      since,
      summary: 'Addresses of the volume records of a node',
      responses,
    },
    async (request) => {
      const { uuid } = await readNode(engine, request.identity, nodeIdent(request.params.ident, request.minor));
      return describe(request.base, `nodes/${uuid}/volume/`);
    },
  );
}

function registerResource<Row extends { readonly uuid: string; readonly nodeUuid: string }, Changes extends object>(
  app: FastifyInstance,
  { engine }: ApiContext,
  resource: VolumeResource<Row, Changes>,
): void {
  const { plural, label, service, inputs, selectable, render, sign = (_identity, changes) => changes } = resource;
  const name = label.toLowerCase();
  const url = `/v1/volume/${plural}` as const;

  async function list(request: FastifyRequest, query: Static<typeof listQuery>): Promise<Wire> {
    const { base, minor, identity } = request;
    const fields = selectForList(selectable, query, minor);
    const page = readPage(query, resource.sortKeys);
    const node = query.node === undefined ? undefined : await readNode(engine, identity, nodeIdent(query.node, minor));
    const filter = node === undefined ? {} : { nodeUuid: node.uuid };
    const rows = await listChildren(engine, identity, service, { ...page, filter });
    const viewer = { base, minor, identity };
    return {
      [plural]: rows.map((row) => render(row, viewer, fields)),
      next: nextPage(base, request.url, rows.length, page.limit, rows.at(-1)?.uuid),
    };
  }

  const responses = { 200: listOf(plural, resource.response) };
  const rule = 'baremetal:volume:list';
  route(app, { method: 'GET', url, rule, since, summary: `List ${name}s`, query: listQuery, responses }, (request) =>
    list(request, request.query),
  );
  route(
    app,
    {
      method: 'GET',
      url: `/v1/nodes/:ident/volume/${plural}`,
      rule,
      since,
      summary: `List the ${name}s of a node`,
      query: listQuery,
      responses,
    },
    (request) => list(request, { ...request.query, node: request.params.ident }),
  );

  route(
    app,
    {
      method: 'POST',
      url,
      rule: 'baremetal:volume:create',
      since,
      summary: `Create a ${name} of a node`,
      body: resource.createSchema,
      responses: { 201: resource.response },
    },
    async (request, reply) => {
      const { identity } = request;
      const input = sign(identity, readInput(inputs, request.body as Readonly<Record<string, InfoValue>>) as Changes);
      await asBadRequest(requireNode(engine, identity, (input as unknown as { nodeUuid: string }).nodeUuid));
      const row = await asBadRequest(service.create(input as never));
      return created(request, reply, `volume/${plural}/${row.uuid}`).send(render(row, request));
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: `${url}/:uuid`,
      rule: 'baremetal:volume:get',
      since,
      summary: `Show a ${name}`,
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: resource.response },
    },
    async (request) => {
      const fields = selectFields(selectable, request.query.fields, request.minor);
      const uuid = recordUuid(label, (request.params as { uuid: string }).uuid);
      return render(await readChild(engine, request.identity, service, uuid, label), request, fields);
    },
  );

  route(
    app,
    {
      method: 'PATCH',
      url: `${url}/:uuid`,
      rule: 'baremetal:volume:update',
      since,
      summary: `Change fields of a ${name}`,
      body: patchSchema,
      responses: { 200: resource.response },
    },
    async (request) => {
      const { identity } = request;
      const patch = readPatch(request.body, resource.patchFields);
      refuseMove(identity, patch);
      const uuid = recordUuid(label, (request.params as { uuid: string }).uuid);
      await requireChild(engine, identity, service, uuid, label, requireNode);
      const signed = {
        update: (ident: string, edit: (current: Row) => Partial<Changes>) =>
          service.update(ident, (current) => sign(identity, edit(current) as Changes, current)),
      };
      return render(await patchRecord(signed, uuid, patch, inputs), request);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: `${url}/:uuid`,
      rule: 'baremetal:volume:delete',
      since,
      summary: `Delete a ${name}`,
      responses: { 204: null },
    },
    async (request, reply) => {
      const uuid = recordUuid(label, (request.params as { uuid: string }).uuid);
      await requireChild(engine, request.identity, service, uuid, label, requireNode);
      await service.delete(uuid);
      return noContent(reply);
    },
  );

  registerReadOnly(app, plural);
}

/** Below a node the records can only be listed. */
function registerReadOnly(app: FastifyInstance, plural: string): void {
  const path = `/v1/nodes/:ident/volume/${plural}`;
  const config = { rule: 'baremetal:volume:update', since, hidden: true } as const;
  const handler = () => {
    throw invalidParameter('Malformed Request URI.', {
      hint: `Use /v1/volume/${plural} to read or change one record.`,
    });
  };
  app.route({ method: ['POST', 'PATCH', 'PUT', 'DELETE'], url: path, config, handler });
  app.route({
    method: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    url: `${path}/:uuid`,
    exposeHeadRoute: false,
    config,
    handler,
  });
}

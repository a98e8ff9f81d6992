import { invalidParameter, provisionStates, type ProvisionState } from '@ironbark/core';
import type { NodeFilter } from '@ironbark/store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiContext } from '../context.ts';
import { nodeFilterVersions, nodeFieldVersions } from '../microversion-table.ts';
import { rejectNewer } from '../microversion.ts';
import { reachesAllNodes } from '../ownership.ts';
import { nextPage, readPage } from '../pagination.ts';
import { route } from '../route.ts';
import { fieldsQuery, pageQuery, text, uuid } from '../schemas/fields.ts';
import type { JsonSchema, Static } from '../schemas/json-schema.ts';
import { listOf, nodeResponse } from '../schemas/responses.ts';
import { nodeResource, nodeSortKeys, renderNode } from '../views/node.ts';
import { selectForList, type Wire } from '../views/selection.ts';

const boolean = { type: 'boolean' } as const;

const filterQuery = {
  chassis_uuid: uuid,
  instance_uuid: uuid,
  associated: boolean,
  maintenance: boolean,
  retired: boolean,
  provision_state: text,
  driver: text,
  resource_class: text,
  fault: text,
  conductor_group: text,
  conductor: text,
  owner: text,
  lessee: text,
  project: text,
  description_contains: text,
} as const;

const detailQuery = {
  type: 'object',
  properties: { ...pageQuery, ...filterQuery },
  additionalProperties: false,
} as const satisfies JsonSchema;

const listQuery = {
  type: 'object',
  properties: { ...pageQuery, ...filterQuery, fields: fieldsQuery, detail: boolean },
  additionalProperties: false,
} as const satisfies JsonSchema;

type ListQuery = Static<typeof listQuery>;

export function registerNodeLists(app: FastifyInstance, { engine }: ApiContext): void {
  async function list(request: FastifyRequest, query: ListQuery, fields: readonly string[] | undefined): Promise<Wire> {
    const { base, minor, identity } = request;
    if (query.sort_key !== undefined) rejectNewer([query.sort_key], nodeFieldVersions, minor, 'field');
    const page = readPage(query, nodeSortKeys);
    const project = reachesAllNodes(identity) ? undefined : { project: identity.project ?? '' };
    const nodes = await engine.nodes.list({ ...page, filter: { ...readFilter(query, minor), ...project } });
    const viewer = { base, minor, identity };
    const wire: Wire = { nodes: nodes.map((node) => renderNode(node, viewer, fields)) };
    // An instance has one node: there is nothing after it.
    if (query.instance_uuid === undefined)
      wire['next'] = nextPage(base, request.url, nodes.length, page.limit, nodes.at(-1)?.uuid);
    return wire;
  }

  const responses = { 200: listOf('nodes', nodeResponse) };
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes',
      rule: 'baremetal:node:list',
      summary: 'List nodes',
      query: listQuery,
      responses,
    },
    (request) => list(request, request.query, selectForList(nodeResource, request.query, request.minor)),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/detail',
      rule: 'baremetal:node:list',
      summary: 'List nodes with all their fields',
      query: detailQuery,
      responses,
    },
    (request) => list(request, request.query, undefined),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/chassis/:uuid/nodes',
      rule: 'baremetal:node:list',
      summary: 'List the nodes of a chassis',
      query: listQuery,
      responses,
    },
    (request) =>
      list(
        request,
        { ...request.query, chassis_uuid: request.params.uuid },
        selectForList(nodeResource, request.query, request.minor),
      ),
  );
}

function readFilter(query: ListQuery, minor: number): NodeFilter {
  rejectNewer(Object.keys(query), nodeFilterVersions, minor, 'query parameter');
  const { provision_state: state } = query;
  if (state !== undefined && !provisionStates.includes(state as ProvisionState))
    throw invalidParameter(`Provision state ${JSON.stringify(state)} is not valid`, {
      hint: `States: ${provisionStates.join(', ')}.`,
    });
  const filter = {
    chassisUuid: query.chassis_uuid?.toLowerCase(),
    instanceUuid: query.instance_uuid?.toLowerCase(),
    associated: query.associated,
    maintenance: query.maintenance,
    retired: query.retired,
    provisionState: state as ProvisionState | undefined,
    driver: query.driver,
    resourceClass: query.resource_class,
    fault: query.fault,
    conductorGroup: query.conductor_group?.toLowerCase(),
    conductor: query.conductor,
    owner: query.owner,
    lessee: query.lessee,
    project: query.project,
    descriptionContains: query.description_contains,
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as NodeFilter;
}

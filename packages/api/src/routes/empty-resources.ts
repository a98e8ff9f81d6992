import { notFound } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent } from '../names.ts';
import { requireNode } from '../ownership.ts';
import { route } from '../route.ts';
import { anyObject, listOf } from '../schemas/responses.ts';

const anyQuery = { type: 'object' } as const;

/** Resources of the Bare Metal API that Ironbark has none of: clients ask for them, and learn that there are none. */
export function registerEmptyResources(app: FastifyInstance, { engine }: ApiContext): void {
  const portgroups = {
    rule: 'baremetal:portgroup:list',
    query: anyQuery,
    responses: { 200: listOf('portgroups', anyObject) },
  } as const;
  const allocations = {
    rule: 'baremetal:allocation:list',
    query: anyQuery,
    responses: { 200: listOf('allocations', anyObject) },
  } as const;

  for (const url of ['/v1/portgroups', '/v1/portgroups/detail'] as const) {
    route(
      app,
      { ...portgroups, method: 'GET', url, summary: 'List port groups', since: introduced.portgroups },
      () => ({ portgroups: [] }),
    );
  }
  route(
    app,
    {
      ...portgroups,
      method: 'GET',
      url: '/v1/nodes/:ident/portgroups',
      summary: 'List the port groups of a node',
      since: introduced.portgroupsOfNode,
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.nodes.get(ident);
      return { portgroups: [] };
    },
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/portgroups/:ident',
      rule: 'baremetal:portgroup:get',
      summary: 'Show a port group',
      since: introduced.portgroups,
      query: anyQuery,
      responses: { 200: anyObject },
    },
    (request) => {
      throw notFound('Portgroup', request.params.ident.slice(0, 255));
    },
  );

  route(
    app,
    {
      ...allocations,
      method: 'GET',
      url: '/v1/allocations',
      summary: 'List allocations',
      since: introduced.allocations,
    },
    () => ({ allocations: [] }),
  );
  route(
    app,
    {
      method: 'GET',
      url: '/v1/allocations/:ident',
      rule: 'baremetal:allocation:get',
      summary: 'Show an allocation',
      since: introduced.allocations,
      query: anyQuery,
      responses: { 200: anyObject },
    },
    (request) => {
      throw notFound('Allocation', request.params.ident.slice(0, 255));
    },
  );
}

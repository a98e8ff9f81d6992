import { notFound } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent } from '../names.ts';
import { requireOwnNode } from '../ownership.ts';
import { nextPage, readLimit } from '../pagination.ts';
import { route } from '../route.ts';
import { uuid } from '../schemas/fields.ts';
import { anyObject, listOf } from '../schemas/responses.ts';
import { renderHistoryEntry } from '../views/history.ts';

export function registerNodeHistory(app: FastifyInstance, { engine }: ApiContext): void {
  const since = introduced.nodeHistory;
  const rule = 'baremetal:node:history:get';

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/history',
      rule,
      summary: 'List what went wrong with a node',
      since,
      query: {
        type: 'object',
        properties: { detail: { type: 'boolean' }, marker: uuid, limit: { type: 'integer' } },
        additionalProperties: false,
      },
      responses: { 200: listOf('history', anyObject) },
    },
    async (request) => {
      const { base, query } = request;
      const ident = nodeIdent(request.params.ident, request.minor);
      const limit = readLimit(query.limit);
      await requireOwnNode(engine, request.identity, ident);
      const entries = await engine.nodes.history(ident);
      const start = query.marker === undefined ? 0 : entries.findIndex((entry) => entry.uuid === query.marker) + 1;
      if (query.marker !== undefined && start === 0) throw notFound('History entry', query.marker);
      const shown = entries.slice(start, start + limit);
      return {
        history: shown.map((entry) => renderHistoryEntry(entry, base, query.detail ?? false)),
        next: nextPage(base, request.url, shown.length, limit, shown.at(-1)?.uuid),
      };
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/history/:uuid',
      rule,
      summary: 'Show an entry of the history of a node',
      since,
      responses: { 200: anyObject },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      const entries = await engine.nodes.history(ident);
      const entry = entries.find((one) => one.uuid === request.params.uuid.toLowerCase());
      if (entry === undefined) throw notFound('History entry', request.params.uuid.slice(0, 255));
      return renderHistoryEntry(entry, request.base, true);
    },
  );
}

import { notFound } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nextPage, readPage } from '../pagination.ts';
import { route } from '../route.ts';
import { fieldsQuery, pageQuery } from '../schemas/fields.ts';
import { conductorResponse, listOf } from '../schemas/responses.ts';
import { conductorResource, renderConductor } from '../views/conductor.ts';
import { selectFields, selectForList } from '../views/selection.ts';

const sortKeys: Readonly<Record<string, 'hostname' | 'conductorGroup' | 'createdAt' | 'updatedAt'>> = {
  hostname: 'hostname',
  conductor_group: 'conductorGroup',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

export function registerConductors(app: FastifyInstance, { engine }: ApiContext): void {
  const since = introduced.conductors;

  route(
    app,
    {
      method: 'GET',
      url: '/v1/conductors',
      rule: 'baremetal:conductor:get',
      summary: 'List conductors',
      since,
      query: {
        type: 'object',
        properties: { ...pageQuery, fields: fieldsQuery, detail: { type: 'boolean' } },
        additionalProperties: false,
      },
      responses: { 200: listOf('conductors', conductorResponse) },
    },
    async (request) => {
      const { base, query } = request;
      const fields = selectForList(conductorResource, query, request.minor);
      const { limit, marker, sortKey = 'hostname', sortDirection } = readPage(query, sortKeys);
      const key = sortKey as 'hostname' | 'conductorGroup' | 'createdAt' | 'updatedAt';
      const order = sortDirection === 'desc' ? -1 : 1;
      const all = [...(await engine.listConductors())].sort(
        (a, b) => order * (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0),
      );
      const start = marker === undefined ? 0 : all.findIndex(({ hostname }) => hostname === marker) + 1;
      if (marker !== undefined && start === 0) throw notFound('Conductor', marker);
      const shown = all.slice(start, start + limit);
      return {
        conductors: shown.map((conductor) => renderConductor(conductor, base, fields)),
        next: nextPage(base, request.url, shown.length, limit, shown.at(-1)?.hostname),
      };
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/conductors/:hostname',
      rule: 'baremetal:conductor:get',
      summary: 'Show a conductor',
      since,
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: conductorResponse },
    },
    async (request) => {
      const { hostname } = request.params;
      const fields = selectFields(conductorResource, request.query.fields, request.minor);
      const conductor = (await engine.listConductors()).find((one) => one.hostname === hostname);
      if (conductor === undefined) throw notFound('Conductor', hostname.slice(0, 255));
      return renderConductor(conductor, request.base, fields);
    },
  );
}

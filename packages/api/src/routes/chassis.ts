import type { InfoValue } from '@ironbark/core';
import type { ChassisInput } from '@ironbark/engine';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { chassisCreateSchema, chassisInputs, chassisPatchFields } from '../inputs/chassis.ts';
import { patchRecord, readInput } from '../inputs/write-record.ts';
import { patchSchema, readPatch } from '../json-patch.ts';
import { recordUuid } from '../names.ts';
import { nextPage, readPage } from '../pagination.ts';
import { created, noContent, route } from '../route.ts';
import { fieldsQuery, pageQuery } from '../schemas/fields.ts';
import { chassisResponse, listOf } from '../schemas/responses.ts';
import { chassisResource, chassisSortKeys, renderChassis } from '../views/chassis.ts';
import { selectFields, selectForList } from '../views/selection.ts';

export function registerChassis(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/v1/chassis',
      rule: 'baremetal:chassis:list',
      summary: 'List chassis',
      query: {
        type: 'object',
        properties: { ...pageQuery, fields: fieldsQuery, detail: { type: 'boolean' } },
        additionalProperties: false,
      },
      responses: { 200: listOf('chassis', chassisResponse) },
    },
    async (request) => {
      const { base, query } = request;
      const fields = selectForList(chassisResource, query, request.minor);
      const page = readPage(query, chassisSortKeys);
      const rows = await engine.chassis.list({ ...page, filter: {} });
      return {
        chassis: rows.map((row) => renderChassis(row, base, fields)),
        next: nextPage(base, request.url, rows.length, page.limit, rows.at(-1)?.uuid),
      };
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/chassis/detail',
      rule: 'baremetal:chassis:list',
      summary: 'List chassis with all their fields',
      query: { type: 'object', properties: pageQuery, additionalProperties: false },
      responses: { 200: listOf('chassis', chassisResponse) },
    },
    async (request) => {
      const { base } = request;
      const page = readPage(request.query, chassisSortKeys);
      const rows = await engine.chassis.list({ ...page, filter: {} });
      return {
        chassis: rows.map((row) => renderChassis(row, base)),
        next: nextPage(base, request.url, rows.length, page.limit, rows.at(-1)?.uuid),
      };
    },
  );

  route(
    app,
    {
      method: 'POST',
      url: '/v1/chassis',
      rule: 'baremetal:chassis:create',
      summary: 'Create a chassis',
      body: chassisCreateSchema,
      responses: { 201: chassisResponse },
    },
    async (request, reply) => {
      const body = request.body as Readonly<Record<string, InfoValue>>;
      const chassis = await engine.chassis.create(readInput(chassisInputs, body) as ChassisInput);
      return created(request, reply, `chassis/${chassis.uuid}`).send(renderChassis(chassis, request.base));
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/chassis/:uuid',
      rule: 'baremetal:chassis:get',
      summary: 'Show a chassis',
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: chassisResponse },
    },
    async (request) => {
      const fields = selectFields(chassisResource, request.query.fields, request.minor);
      const chassis = await engine.chassis.get(recordUuid('Chassis', request.params.uuid));
      return renderChassis(chassis, request.base, fields);
    },
  );

  route(
    app,
    {
      method: 'PATCH',
      url: '/v1/chassis/:uuid',
      rule: 'baremetal:chassis:update',
      summary: 'Change fields of a chassis',
      body: patchSchema,
      responses: { 200: chassisResponse },
    },
    async (request) => {
      const patch = readPatch(request.body, chassisPatchFields);
      const uuid = recordUuid('Chassis', request.params.uuid);
      return renderChassis(await patchRecord(engine.chassis, uuid, patch, chassisInputs), request.base);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/chassis/:uuid',
      rule: 'baremetal:chassis:delete',
      summary: 'Delete a chassis',
      responses: { 204: null },
    },
    async (request, reply) => {
      await engine.chassis.delete(recordUuid('Chassis', request.params.uuid));
      return noContent(reply);
    },
  );
}

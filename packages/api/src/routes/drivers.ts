import { invalidParameter } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { notAcceptable } from '../microversion.ts';
import { route } from '../route.ts';
import { fieldsQuery } from '../schemas/fields.ts';
import { anyObject, driverResponse, listOf } from '../schemas/responses.ts';
import { driverResource, renderDriver, renderProperties } from '../views/driver.ts';
import { pick, selectFields } from '../views/selection.ts';

const kinds = ['classic', 'dynamic'] as const;

export function registerDrivers(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/v1/drivers',
      rule: 'baremetal:driver:get',
      summary: 'List the hardware types that are enabled',
      query: {
        type: 'object',
        properties: { type: { type: 'string', enum: kinds }, detail: { type: 'boolean' }, fields: fieldsQuery },
        additionalProperties: false,
      },
      responses: { 200: listOf('drivers', driverResponse) },
    },
    async (request) => {
      const { base, minor, query } = request;
      if (minor < introduced.dynamicDrivers && (query.type ?? query.detail) !== undefined)
        throw notAcceptable('Choosing among drivers', introduced.dynamicDrivers);
      if (query.fields !== undefined && query.detail === true)
        throw invalidParameter('Can not specify ?detail=True and fields in the same request.');
      const fields = driverFields(query.fields, minor);
      // Classic drivers are those of services older than any that speaks this version of the API.
      const drivers = query.type === 'classic' ? [] : await engine.drivers.list();
      return {
        drivers: drivers.map((driver) => {
          const wire = renderDriver(driver, base, minor, query.detail === true || fields !== undefined);
          return fields === undefined ? wire : pick(wire, fields);
        }),
      };
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/drivers/:name',
      rule: 'baremetal:driver:get',
      summary: 'Show a hardware type and the interfaces that are enabled for it',
      query: { type: 'object', properties: { fields: fieldsQuery }, additionalProperties: false },
      responses: { 200: driverResponse },
    },
    async (request) => {
      const { base, minor } = request;
      const fields = driverFields(request.query.fields, minor);
      const wire = renderDriver(await engine.drivers.get(request.params.name), base, minor, true);
      return fields === undefined ? wire : pick(wire, fields);
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/drivers/:name/properties',
      rule: 'baremetal:driver:get_properties',
      summary: 'Describe the keys of driver_info that a hardware type reads',
      responses: { 200: { type: 'object', additionalProperties: { type: 'string' } } },
    },
    async (request) => renderProperties(await engine.drivers.properties(request.params.name)),
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/drivers/:name/vendor_passthru/methods',
      rule: 'baremetal:driver:vendor_passthru',
      summary: 'List the vendor methods of a hardware type: there are none, methods belong to nodes',
      responses: { 200: anyObject },
    },
    async (request) => {
      await engine.drivers.get(request.params.name);
      return {};
    },
  );
}

function driverFields(fields: readonly string[] | undefined, minor: number): readonly string[] | undefined {
  if (fields !== undefined && minor < introduced.driverFields)
    throw notAcceptable('The query parameter "fields" of drivers', introduced.driverFields);
  return selectFields(driverResource, fields, minor);
}

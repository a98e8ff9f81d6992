import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { toBoolean } from '../inputs/input-field.ts';
import { nodeIdent } from '../names.ts';
import { requireNode, requireOwnNode } from '../ownership.ts';
import { accepted, noContent, route } from '../route.ts';
import { longText, looseBoolean, text } from '../schemas/fields.ts';
import { anyObject, stringList } from '../schemas/responses.ts';
import { absentInterfaces } from '../views/constants.ts';

export function registerNodeManagement(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/management/boot_device',
      rule: 'baremetal:node:get_boot_device',
      summary: 'Show what a node boots from',
      responses: { 200: anyObject },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      const { bootDevice, persistent } = await engine.management.getBootDevice(ident);
      return { boot_device: bootDevice, persistent };
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/management/boot_device',
      rule: 'baremetal:node:set_boot_device',
      summary: 'Choose what a node boots from',
      body: {
        type: 'object',
        properties: { boot_device: text, persistent: looseBoolean },
        required: ['boot_device'],
        additionalProperties: false,
      },
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      const { boot_device: device, persistent = false } = request.body;
      await requireOwnNode(engine, request.identity, ident);
      await engine.management.setBootDevice(ident, device, toBoolean(persistent, 'persistent', false));
      return noContent(reply);
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/management/boot_device/supported',
      rule: 'baremetal:node:get_boot_device',
      summary: 'List what a node can boot from',
      responses: { 200: { type: 'object', properties: { supported_boot_devices: stringList } } },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      return { supported_boot_devices: await engine.management.supportedBootDevices(ident) };
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/maintenance',
      rule: 'baremetal:node:set_maintenance',
      summary: 'Take a node out of service',
      body: { type: ['object', 'null'], properties: { reason: longText }, additionalProperties: false },
      responses: { 202: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.nodes.setMaintenance(ident, true, request.body?.reason ?? null);
      return accepted(request, reply);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/nodes/:ident/maintenance',
      rule: 'baremetal:node:clear_maintenance',
      summary: 'Put a node back into service',
      responses: { 202: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.nodes.setMaintenance(ident, false, null);
      return accepted(request, reply);
    },
  );

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/validate',
      rule: 'baremetal:node:validate',
      summary: 'Check what the records of a node say, per interface',
      responses: { 200: anyObject },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      const results = await engine.nodes.validate(ident);
      const valid = { result: true };
      const absent = Object.fromEntries(Object.keys(absentInterfaces).map((kind) => [kind, valid]));
      const { boot, deploy, management, network, power, storage } = results;
      return { boot, deploy, management, network, power, ...absent, storage };
    },
  );
}

import { IronbarkError, powerTargets, type PowerTarget } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import {
  checkProvisionBody,
  configdriveLimit,
  provisionBody,
  provisionVerbsByTarget,
  toProvisionRequest,
} from '../inputs/provision.ts';
import { introduced, provisionTargetVersions } from '../microversion-table.ts';
import { notAcceptable } from '../microversion.ts';
import { toBoolean } from '../inputs/input-field.ts';
import { nodeIdent } from '../names.ts';
import { readNode, requireNode } from '../ownership.ts';
import { accepted, route } from '../route.ts';
import { text } from '../schemas/fields.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';
import { statesResponse } from '../schemas/responses.ts';
import { renderStates } from '../views/node.ts';

const powerBody = {
  type: 'object',
  properties: {
    target: text,
    timeout: { type: ['integer', 'null'], minimum: 1, maximum: 86_400, description: 'seconds' },
  },
  required: ['target'],
  additionalProperties: false,
} as const satisfies JsonSchema;

export function registerNodeStates(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/states',
      rule: 'baremetal:node:get_states',
      summary: 'Show the states of a node',
      responses: { 200: statesResponse },
    },
    async (request) =>
      renderStates(await readNode(engine, request.identity, nodeIdent(request.params.ident, request.minor)), request),
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/states/power',
      rule: 'baremetal:node:set_power_state',
      summary: 'Change the power state of a node',
      body: powerBody,
      responses: { 202: null },
    },
    async (request, reply) => {
      const { minor, identity } = request;
      const ident = nodeIdent(request.params.ident, minor);
      const { target, timeout = null } = request.body;
      await requireNode(engine, identity, ident);
      if ((target.startsWith('soft ') || timeout !== null) && minor < introduced.softPower)
        throw notAcceptable(timeout === null ? `The target "${target}"` : 'The field "timeout"', introduced.softPower);
      if (!isPowerTarget(target)) {
        const { powerState } = await engine.nodes.get(ident);
        throw cannotPerform(target, ident, powerState, powerTargets);
      }
      await engine.power.request(ident, target, timeout);
      return accepted(request, reply, `nodes/${request.params.ident}/states`);
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/states/provision',
      rule: 'baremetal:node:set_provision_state',
      summary: 'Change the provision state of a node',
      body: provisionBody,
      bodyLimit: configdriveLimit,
      responses: { 202: null },
    },
    async (request, reply) => {
      const { minor, identity, body } = request;
      const ident = nodeIdent(request.params.ident, minor);
      await requireNode(engine, identity, ident);
      const since = provisionTargetVersions[body.target];
      if (since !== undefined && minor < since) throw notAcceptable(`The target "${body.target}"`, since);
      const verb = Object.hasOwn(provisionVerbsByTarget, body.target) ? provisionVerbsByTarget[body.target] : undefined;
      if (verb === undefined) {
        const { provisionState } = await engine.nodes.get(ident);
        throw cannotPerform(body.target, ident, provisionState, Object.keys(provisionVerbsByTarget));
      }
      checkProvisionBody(body, verb, minor);
      if (verb === 'abort' && minor < introduced.abortInspection) {
        const { provisionState } = await engine.nodes.get(ident);
        if (provisionState === 'inspect wait')
          throw notAcceptable('Aborting an inspection', introduced.abortInspection);
      }
      await engine.provisioning.request(ident, toProvisionRequest(body, verb));
      return accepted(request, reply, `nodes/${request.params.ident}/states`);
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/states/boot_mode',
      rule: 'baremetal:node:set_boot_mode',
      summary: 'Change the boot mode of a node',
      since: introduced.setBootMode,
      body: {
        type: 'object',
        properties: { target: { type: 'string', enum: ['bios', 'uefi'] } },
        required: ['target'],
        additionalProperties: false,
      },
      responses: { 202: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.management.setBootMode(ident, request.body.target);
      return accepted(request, reply, `nodes/${request.params.ident}/states`);
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/states/secure_boot',
      rule: 'baremetal:node:set_secure_boot',
      summary: 'Turn UEFI Secure Boot of a node on or off',
      since: introduced.setBootMode,
      body: {
        type: 'object',
        properties: { target: { type: ['boolean', 'string'], maxLength: 5 } },
        required: ['target'],
        additionalProperties: false,
      },
      responses: { 202: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.management.setSecureBoot(ident, toBoolean(request.body.target, 'target', false));
      return accepted(request, reply, `nodes/${request.params.ident}/states`);
    },
  );
}

function isPowerTarget(target: string): target is PowerTarget {
  return (powerTargets as readonly string[]).includes(target);
}

function cannotPerform(action: string, ident: string, state: string | null, allowed: readonly string[]): IronbarkError {
  return new IronbarkError(
    'INVALID_STATE_REQUESTED',
    `The requested action "${action}" can not be performed on node "${ident}" while it is in state "${state ?? 'None'}".`,
    { hint: `Targets: ${allowed.join(', ')}.` },
  );
}

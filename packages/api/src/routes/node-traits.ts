import { invalidParameter, IronbarkError } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent } from '../names.ts';
import { readNode, requireOwnNode } from '../ownership.ts';
import { noContent, route } from '../route.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';
import { stringList } from '../schemas/responses.ts';
import { check } from '../schemas/check.ts';

const trait = {
  type: 'string',
  maxLength: 255,
  pattern: '^[A-Z][A-Z0-9_]*$',
  description: 'a trait in capitals, such as CUSTOM_GOLD or HW_CPU_X86_VMX',
} as const satisfies JsonSchema;

/** The Bare Metal service's own limit. */
const traitsAtMost = 50;

export function registerNodeTraits(app: FastifyInstance, { engine }: ApiContext): void {
  const since = introduced.traits;

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/traits',
      rule: 'baremetal:node:traits:list',
      summary: 'List the traits of a node',
      since,
      responses: { 200: { type: 'object', properties: { traits: stringList } } },
    },
    async (request) => {
      const node = await readNode(engine, request.identity, nodeIdent(request.params.ident, request.minor));
      return { traits: node.traits };
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/traits',
      rule: 'baremetal:node:traits:set',
      summary: 'Replace the traits of a node',
      since,
      body: {
        type: 'object',
        properties: { traits: { type: 'array', items: trait, maxItems: traitsAtMost } },
        required: ['traits'],
        additionalProperties: false,
      },
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      await engine.nodes.updateTraits(ident, () => request.body.traits);
      return noContent(reply);
    },
  );

  route(
    app,
    {
      method: 'PUT',
      url: '/v1/nodes/:ident/traits/:trait',
      rule: 'baremetal:node:traits:set',
      summary: 'Add a trait to a node',
      since,
      responses: { 204: null },
    },
    async (request, reply) => {
      const { ident, trait: added } = request.params;
      const problem = check(trait, added, 'The trait');
      if (problem !== undefined) throw invalidParameter(problem);
      await requireOwnNode(engine, request.identity, nodeIdent(ident, request.minor));
      await engine.nodes.updateTraits(nodeIdent(ident, request.minor), ({ traits }) => {
        if (traits.includes(added)) return traits;
        if (traits.length < traitsAtMost) return [...traits, added];
        throw invalidParameter(`A node cannot have more than ${traitsAtMost} traits.`);
      });
      reply.header('location', `${request.base}/v1/nodes/${ident}/traits/${added}`);
      return noContent(reply);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/nodes/:ident/traits',
      rule: 'baremetal:node:traits:delete',
      summary: 'Remove all traits of a node',
      since,
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireOwnNode(engine, request.identity, ident);
      await engine.nodes.updateTraits(ident, () => []);
      return noContent(reply);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/nodes/:ident/traits/:trait',
      rule: 'baremetal:node:traits:delete',
      summary: 'Remove a trait of a node',
      since,
      responses: { 204: null },
    },
    async (request, reply) => {
      const { ident, trait: removed } = request.params;
      await requireOwnNode(engine, request.identity, nodeIdent(ident, request.minor));
      await engine.nodes.updateTraits(nodeIdent(ident, request.minor), ({ uuid, traits }) => {
        if (traits.includes(removed)) return traits.filter((one) => one !== removed);
        throw new IronbarkError('NOT_FOUND', `Node ${uuid} doesn't have a trait '${removed.slice(0, 255)}'`);
      });
      return noContent(reply);
    },
  );
}

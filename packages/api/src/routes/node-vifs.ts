import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent } from '../names.ts';
import { requireNode } from '../ownership.ts';
import { noContent, route } from '../route.ts';
import { anyObject, listOf } from '../schemas/responses.ts';

/** Virtual network interfaces: what Nova plugs into a machine. */
export function registerNodeVifs(app: FastifyInstance, { engine }: ApiContext): void {
  const since = introduced.vifs;

  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/vifs',
      rule: 'baremetal:node:vif:list',
      summary: 'List the virtual network interfaces of a node',
      since,
      responses: { 200: listOf('vifs', anyObject) },
    },
    async (request) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      const vifs = await engine.vifs.list(ident);
      return { vifs: vifs.map((id) => ({ id })) };
    },
  );

  route(
    app,
    {
      method: 'POST',
      url: '/v1/nodes/:ident/vifs',
      rule: 'baremetal:node:vif:attach',
      summary: 'Attach a virtual network interface to a node',
      since,
      // The Bare Metal service accepts whatever else Nova says about the interface.
      body: {
        type: 'object',
        properties: { id: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\w.~-]+$' } },
        required: ['id'],
      },
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.vifs.attach(ident, request.body.id);
      return noContent(reply);
    },
  );

  route(
    app,
    {
      method: 'DELETE',
      url: '/v1/nodes/:ident/vifs/:vif',
      rule: 'baremetal:node:vif:detach',
      summary: 'Detach a virtual network interface from a node',
      since,
      responses: { 204: null },
    },
    async (request, reply) => {
      const ident = nodeIdent(request.params.ident, request.minor);
      await requireNode(engine, request.identity, ident);
      await engine.vifs.detach(ident, request.params.vif);
      return noContent(reply);
    },
  );
}

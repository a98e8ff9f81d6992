import { invalidParameter } from '@ironbark/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../context.ts';
import { nodeIdent } from '../names.ts';
import { accepted, route, type Method } from '../route.ts';
import { text } from '../schemas/fields.ts';
import { anyObject } from '../schemas/responses.ts';

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Methods of a node's vendor interface, by path or by query parameter, with whatever HTTP verb they declare. */
export function registerNodeVendor(app: FastifyInstance, { engine }: ApiContext): void {
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/vendor_passthru/methods',
      rule: 'baremetal:node:vendor_passthru',
      summary: 'List the vendor methods of a node',
      responses: { 200: anyObject },
    },
    async (request) => {
      const described = await engine.vendor.methods(nodeIdent(request.params.ident, request.minor));
      return Object.fromEntries(
        Object.entries(described).map(([name, { httpMethods, async, description }]) => [
          name,
          { http_methods: httpMethods, async, description, attach: false, require_exclusive_lock: true },
        ]),
      );
    },
  );

  async function call(request: FastifyRequest, reply: FastifyReply, ident: string, method: string): Promise<unknown> {
    const { minor, body } = request;
    const answer = await engine.vendor.call(nodeIdent(ident, minor), method, request.method, body ?? {});
    return answer.async ? accepted(request, reply) : reply.send(JSON.stringify(answer.result ?? null));
  }

  const responses = { 200: anyObject, 202: null };
  const rule = 'baremetal:node:vendor_passthru';
  for (const method of methods) {
    route(
      app,
      {
        method,
        url: '/v1/nodes/:ident/vendor_passthru/:method',
        rule,
        summary: 'Call a vendor method of a node',
        query: { type: 'object' },
        responses,
        head: false,
      },
      (request, reply) => call(request, reply, request.params.ident, request.params.method),
    );
    route(
      app,
      {
        method,
        url: '/v1/nodes/:ident/vendor_passthru',
        rule,
        summary: 'Call the vendor method of a node that the query names',
        query: { type: 'object', properties: { method: text } },
        responses,
        head: false,
      },
      (request, reply) => {
        if (request.query.method === undefined) throw invalidParameter('Method not specified');
        return call(request, reply, request.params.ident, request.query.method);
      },
    );
  }
}

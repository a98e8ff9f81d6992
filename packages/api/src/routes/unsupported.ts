import { IronbarkError } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { introduced } from '../microversion-table.ts';
import { nodeIdent } from '../names.ts';
import { readNode } from '../ownership.ts';
import type { Rule } from '../policy.ts';
import { route } from '../route.ts';
import { anyObject } from '../schemas/responses.ts';

interface Unsupported {
  readonly url: string;
  readonly rule: Rule;
  readonly what: string;
  readonly since?: number;
}

const actions: readonly Unsupported[] = [
  { url: 'states/console', rule: 'baremetal:node:set_console_state', what: 'console' },
  { url: 'states/raid', rule: 'baremetal:node:set_raid_state', what: 'raid', since: introduced.raidConfig },
  { url: 'management/inject_nmi', rule: 'baremetal:node:inject_nmi', what: 'inject_nmi', since: introduced.injectNmi },
];

/** Actions of the Bare Metal API for which Ironbark has no drivers; refused the way a driver without them refuses. */
export function registerUnsupported(app: FastifyInstance, { engine }: ApiContext): void {
  for (const { url, rule, what, since } of actions) {
    route(
      app,
      {
        method: 'PUT',
        url: `/v1/nodes/:ident/${url}`,
        rule,
        summary: `Not supported: ${what}`,
        responses: { 202: null },
        ...(since === undefined ? {} : { since }),
      },
      async (request) => {
        const ident = nodeIdent((request.params as { ident: string }).ident, request.minor);
        const { driver } = await readNode(engine, request.identity, ident);
        throw new IronbarkError(
          'UNSUPPORTED',
          `Driver ${driver} does not support ${what} (disabled or not implemented).`,
        );
      },
    );
  }
  route(
    app,
    {
      method: 'GET',
      url: '/v1/nodes/:ident/states/console',
      rule: 'baremetal:node:get_console',
      summary: 'Show how the console of a node is reached',
      responses: { 200: anyObject },
    },
    async (request) => {
      await readNode(engine, request.identity, nodeIdent(request.params.ident, request.minor));
      return { console_enabled: false, console_info: null };
    },
  );
}

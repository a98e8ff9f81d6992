import { invalidParameter, MASK } from '@ironbark/core';
import type { Heartbeat } from '@ironbark/engine';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.ts';
import { links } from '../links.ts';
import { heartbeatFieldVersions, introduced } from '../microversion-table.ts';
import { isUuid, nodeIdent } from '../names.ts';
import { accepted, route } from '../route.ts';
import type { JsonSchema } from '../schemas/json-schema.ts';
import { anyObject } from '../schemas/responses.ts';
import { renderNode } from '../views/node.ts';

const shortText = { type: ['string', 'null'], maxLength: 255 } as const;

const heartbeatBody = {
  type: 'object',
  properties: {
    callback_url: { type: 'string', minLength: 1, maxLength: 2048 },
    agent_version: shortText,
    agent_token: { type: ['string', 'null'], maxLength: 1024 },
    agent_verify_ca: { type: ['string', 'null'], maxLength: 65_536, description: 'a certificate as PEM text' },
    agent_status: shortText,
    agent_status_message: { type: ['string', 'null'], maxLength: 65_536 },
  },
  required: ['callback_url'],
  additionalProperties: false,
} as const satisfies JsonSchema;

const macAddress = /^[\da-f]{2}(?::[\da-f]{2}){5}$/;
/** What an agent looks itself up by; more network cards than any machine has. */
const addressesAtMost = 256;

/** Configuration that the agent reads beside what is its own. Ironbark takes no metrics from it. */
const agentMetrics = {
  metrics: {
    backend: 'noop',
    prepend_host: false,
    prepend_uuid: false,
    prepend_host_reverse: true,
    global_prefix: null,
  },
  metrics_statsd: { statsd_host: 'localhost', statsd_port: 8125 },
};

/** What a deploy agent calls. It has no credentials but the token that its first lookup gives it. */
export function registerRamdisk(app: FastifyInstance, { engine }: ApiContext): void {
  const since = introduced.ramdiskEndpoints;

  route(
    app,
    {
      method: 'GET',
      url: '/v1/lookup',
      rule: 'public',
      summary: 'Find the node that a deploy agent runs on',
      since,
      query: {
        type: 'object',
        properties: {
          addresses: { type: 'array', items: { type: 'string', maxLength: 64 }, maxItems: addressesAtMost },
          node_uuid: { type: 'string', maxLength: 64 },
        },
      },
      responses: { 200: anyObject },
    },
    async (request) => {
      const { addresses = [], node_uuid: uuid } = request.query;
      const usable = addresses.map((address) => address.trim().toLowerCase()).filter((text) => macAddress.test(text));
      if (usable.length === 0 && uuid === undefined)
        throw invalidParameter('Either "addresses" with MAC addresses or "node_uuid" is required.');
      const found = await engine.agents.lookup({
        ...(uuid !== undefined && isUuid(uuid) ? { nodeUuid: uuid.toLowerCase() } : {}),
        ...(usable.length > 0 ? { addresses: usable } : {}),
      });
      const { node } = found;
      // The agent is nobody's user, and gets no more than anybody would.
      const nobody = { user: 'agent', project: null, roles: [], system: true };
      const wire = renderNode(node, { base: request.base, minor: request.minor, identity: nobody });
      return {
        node: {
          uuid: node.uuid,
          properties: wire['properties'],
          instance_info: wire['instance_info'],
          driver_internal_info: wire['driver_internal_info'],
          links: links(request.base, `nodes/${node.uuid}`),
        },
        config: {
          ...agentMetrics,
          heartbeat_timeout: found.heartbeatTimeoutSeconds,
          agent_token: found.agentTokenIsNew ? found.agentToken.reveal() : MASK,
          agent_token_required: true,
          agent_md5_checksum_enable: false,
        },
      };
    },
  );

  route(
    app,
    {
      method: 'POST',
      url: '/v1/heartbeat/:ident',
      rule: 'public',
      summary: 'A deploy agent says that it runs',
      since,
      body: heartbeatBody,
      responses: { 202: null },
    },
    async (request, reply) => {
      const { body, minor } = request;
      for (const [field, needed] of Object.entries(heartbeatFieldVersions)) {
        if (body[field as keyof typeof body] != null && minor < needed)
          throw invalidParameter(`Field "${field}" not recognised`, {
            hint: `It needs API version 1.${needed} or newer.`,
          });
      }
      const ident = nodeIdent(request.params.ident, minor);
      const uuid = isUuid(ident) ? ident : (await engine.nodes.get(ident)).uuid;
      const heartbeat = {
        callbackUrl: body.callback_url,
        agentVersion: body.agent_version,
        agentToken: body.agent_token,
        agentVerifyCa: body.agent_verify_ca,
        agentStatus: body.agent_status,
        agentStatusMessage: body.agent_status_message,
      };
      const given = Object.entries(heartbeat).filter(([, value]) => value !== undefined && value !== null);
      await engine.agents.heartbeat(uuid, Object.fromEntries(given) as unknown as Heartbeat);
      return accepted(request, reply);
    },
  );
}

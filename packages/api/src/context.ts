import type { Logger } from '@ironbark/core';
import type { Engine } from '@ironbark/engine';
import type { RouteOptions } from 'fastify';
import type { Identity } from './auth/authenticator.ts';
import type { Rule } from './policy.ts';
import type { JsonSchema } from './schemas/json-schema.ts';

/** What every route works with. */
export interface ApiContext {
  readonly engine: Engine;
  readonly log: Logger;
  readonly version: string;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route that is registered. */
    readonly apiRoutes: readonly RouteOptions[];
  }

  interface FastifyRequest {
    /** Second number of the negotiated API version. */
    minor: number;
    /** Set for every route that is not public. */
    identity: Identity;
    /** Address of the API as the client knows it, without a slash at the end. */
    readonly base: string;
  }

  interface FastifyContextConfig {
    /** Access rule of the route. */
    rule?: Rule;
    /** API version that brought the route; older ones get 404. Default: the first. */
    since?: number;
    summary?: string;
    /** Left out of the OpenAPI document. */
    hidden?: boolean;
    /** Response bodies by status, for the OpenAPI document only. Null: no body. */
    responses?: Readonly<Record<number, JsonSchema | null>>;
  }
}

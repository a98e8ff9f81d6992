import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Rule } from './policy.ts';
import { noQuery } from './schemas/fields.ts';
import type { JsonSchema, Static } from './schemas/json-schema.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of the API: what it takes and who may use it. */
export interface RouteSpec<Url extends string, Query extends JsonSchema, Body extends JsonSchema> {
  readonly method: Method;
  readonly url: Url;
  readonly rule: Rule;
  readonly summary: string;
  /** API version that brought the route. Default: the first. */
  readonly since?: number;
  /** Default: no parameter is accepted. */
  readonly query?: Query;
  /** Default: the body is not looked at. */
  readonly body?: Body;
  /** In bytes. Default: 1 MiB. */
  readonly bodyLimit?: number;
  readonly responses: Readonly<Record<number, JsonSchema | null>>;
  /** Whether HEAD is answered where GET is. False where a GET has an effect or does not end. Default: true. */
  readonly head?: boolean;
}

/** Names of the parameters in a path: `/a/:b/:c` gives `b` and `c`. */
export type PathParams<Url extends string> = Url extends `${string}:${infer Name}/${infer Rest}`
  ? { readonly [Key in Name]: string } & PathParams<`/${Rest}`>
  : Url extends `${string}:${infer Name}`
    ? { readonly [Key in Name]: string }
    : unknown;

export type RouteRequest<Url extends string, Query, Body> = FastifyRequest<{
  Params: PathParams<Url>;
  Querystring: Static<Query>;
  Body: Static<Body>;
}>;

/** Registers an operation. Response bodies are printed with plain `JSON.stringify`; their schemas are documentation. */
export function route<
  const Url extends string,
  const Query extends JsonSchema = typeof noQuery,
  const Body extends JsonSchema = JsonSchema,
>(
  app: FastifyInstance,
  spec: RouteSpec<Url, Query, Body>,
  handler: (request: RouteRequest<Url, Query, Body>, reply: FastifyReply) => unknown,
): void {
  const { method, url, rule, summary, since, body, bodyLimit, responses } = spec;
  app.route({
    method,
    url,
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    exposeHeadRoute: method === 'GET' && (spec.head ?? true),
    config: { rule, summary, responses, ...(since === undefined ? {} : { since }) },
    schema: { querystring: spec.query ?? noQuery, ...(body === undefined ? {} : { body }) },
    handler: handler as never,
  });
}

/** 202 without a body. @param location path of the resource that shows what becomes of it. */
export function accepted(request: FastifyRequest, reply: FastifyReply, location?: string): FastifyReply {
  if (location !== undefined) reply.header('location', `${request.base}/v1/${location}`);
  return reply.code(202).send();
}

/** 204 without a body. */
export function noContent(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}

/** 201 with the new record. */
export function created(request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply {
  return reply.code(201).header('location', `${request.base}/v1/${path}`);
}

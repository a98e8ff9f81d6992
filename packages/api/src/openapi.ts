import type { RouteOptions } from 'fastify';
import { maxVersion, minVersion, versionHeader } from './microversion.ts';
import { isPublic, policy, systemRules } from './policy.ts';
import type { JsonSchema } from './schemas/json-schema.ts';
import { errorResponse } from './schemas/responses.ts';

type Json = Readonly<Record<string, unknown>>;

/** Describes the registered routes as an OpenAPI 3.1 document, whose schemas are JSON Schema. */
export function describeApi(routes: readonly RouteOptions[], version: string, base: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const { config = {}, url } = route;
    if (config.hidden === true || config.rule === undefined) continue;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat().filter((one) => one !== 'HEAD')) {
      (paths[path] ??= {})[method.toLowerCase()] = describeOperation(route, method);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ironbark Bare Metal API',
      version,
      description: `OpenStack Bare Metal API, microversions ${minVersion} to ${maxVersion}, and what Ironbark has beyond it under /ironbark/v1.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: base }],
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        keystone: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' },
      },
      schemas: { Error: errorResponse },
      parameters: {
        ApiVersion: {
          name: versionHeader,
          in: 'header',
          description: `1.N or "latest". Default: ${minVersion}.`,
          schema: { type: 'string' },
        },
      },
    },
  };
}

function describeOperation(route: RouteOptions, method: string): Json {
  const { config = {}, schema = {}, url } = route;
  const { rule = 'public', since = 1, summary, responses = {} } = config;
  const body = schema.body as JsonSchema | undefined;
  const isBareMetal = url === '/' || url.startsWith('/v1');
  return {
    operationId: `${method.toLowerCase()}${url.replaceAll(/[/:_-]+(\w)?/g, (_all, letter: string | undefined) => letter?.toUpperCase() ?? '')}`,
    summary,
    tags: [tagOf(url)],
    ...(isBareMetal ? { 'x-openstack-min-version': `1.${since}` } : {}),
    'x-access': { rule, role: policy[rule], ...(systemRules.includes(rule) ? { scope: 'system' } : {}) },
    security: isPublic(rule) ? [] : [{ basic: [] }, { keystone: [] }],
    parameters: [
      ...(isBareMetal ? [{ $ref: '#/components/parameters/ApiVersion' }] : []),
      ...[...url.matchAll(/:(\w+)/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...describeQuery(schema.querystring as JsonSchema | undefined),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: !acceptsNull(body), content: { 'application/json': { schema: body } } } }),
    responses: describeResponses(responses),
  };
}

function tagOf(url: string): string {
  const [, version, first = 'versions', , third] = url.split('/');
  return version === 'ironbark' ? `ironbark ${third ?? ''}`.trim() : first;
}

function acceptsNull(schema: JsonSchema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null');
}

function describeQuery(schema: JsonSchema | undefined): readonly Json[] {
  const { properties = {}, required = [] } = schema ?? {};
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    style: 'form',
    explode: property.type !== 'array',
    schema: property,
  }));
}

function describeResponses(responses: Readonly<Record<number, JsonSchema | null>>): Json {
  const content = (schema: JsonSchema) => ({ content: { 'application/json': { schema } } });
  return {
    ...Object.fromEntries(
      Object.entries(responses).map(([status, schema]) => [
        status,
        { description: statusTexts[status] ?? 'Done', ...(schema === null ? {} : content(schema)) },
      ]),
    ),
    default: {
      description: 'Failed',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  };
}

const statusTexts: Readonly<Record<string, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted: the work goes on after the answer',
  204: 'Done, nothing to say',
};

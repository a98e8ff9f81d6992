import { invalidParameter } from '@ironbark/core';
import type { FastifySchemaCompiler } from 'fastify';
import { check } from './check.ts';
import { coerceQuery } from './coerce-query.ts';
import type { JsonSchema } from './json-schema.ts';

/** Tells Fastify how to check requests. Schemas are read as they are, so nothing is compiled at start-up. */
export const validatorCompiler: FastifySchemaCompiler<JsonSchema> = ({ schema, httpPart }) =>
  httpPart === 'querystring'
    ? (query: Record<string, unknown>) => attempt(() => coerceQuery(schema, query))
    : (body: unknown) => {
        const problem = check(schema, body, 'The request body');
        return problem === undefined ? { value: body } : { error: invalidParameter(problem) };
      };

function attempt(work: () => unknown): { value: unknown } | { error: Error } {
  try {
    return { value: work() };
  } catch (error) {
    return { error: error as Error };
  }
}

import { invalidParameter } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import { unsupportedMediaType } from './errors.ts';
import { depthAtMost, isDeeperThan } from './nesting.ts';

const jsonTypes = ['application/json', 'application/json-patch+json'];

/** Replaces Fastify's body parsers: JSON in the two media types that clients send, and empty bodies of whatever type. */
export function addBodyParsers(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(jsonTypes, { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    return parseJson(request, body as string, (error, value) => {
      if (error !== null) done(malformedJson(error));
      else if (isDeeperThan(value, depthAtMost))
        done(invalidParameter(`The request body is nested deeper than ${depthAtMost} levels.`));
      else done(null, value);
    });
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(unsupportedMediaType());
  });
}

/** The parser's own message quotes the body, which may hold a password; only the position is passed on. */
function malformedJson(error: Error): Error {
  const position = /position (\d+)/.exec(error.message)?.[1];
  const where = position === undefined ? '' : ` at position ${position}`;
  return invalidParameter(`The request body is not valid JSON${where}.`);
}

import { invalidParameter, isIronbarkError, isSecretKey } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import { unsupportedMediaType } from './errors.ts';
import { depthAtMost, isCheapToParse, isDeeperThan } from './nesting.ts';

const jsonTypes = ['application/json', 'application/json-patch+json'];

/** Replaces Fastify's body parsers: JSON in the two media types that clients send, and empty bodies of whatever type. */
export function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(jsonTypes, { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, parseBody(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(unsupportedMediaType());
  });
}

/** @throws INVALID_PARAMETER for what is no JSON, too deep or too much, or cannot be kept as it was written. */
function parseBody(text: string): unknown {
  if (!isCheapToParse(text)) {
    throw invalidParameter(`The request body is nested deeper than ${depthAtMost} levels, or has too many parts.`);
  }
  const value = parseJson(text);
  if (isDeeperThan(value, depthAtMost))
    throw invalidParameter(`The request body is nested deeper than ${depthAtMost} levels.`);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, keepNumbers);
  } catch (error) {
    throw isIronbarkError(error) ? error : malformedJson(error as Error);
  }
}

/**
 * Keeps what clients write as a number: the command-line client sends a password of digits so. Under keys that name credentials the
 * digits become text; other integers that would lose digits are refused, and so are keys that reach for an object's prototype.
 */
function keepNumbers(this: unknown, key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (
    key === '__proto__' ||
    (key === 'constructor' && typeof value === 'object' && value !== null && 'prototype' in value)
  ) {
    throw invalidParameter(`The request body holds the key ${key}.`);
  }
  if (typeof value !== 'number') return value;
  const { source = '' } = context ?? {};
  if (isSecretKey(key)) return source;
  if (Number.isFinite(value) && (!/^-?\d+$/.test(source) || Number.isSafeInteger(value))) return value;
  throw invalidParameter(`The number under ${JSON.stringify(key)} is too large to be kept exactly.`, {
    hint: 'Send it as text.',
  });
}

/** The parser's own message quotes the body, which may hold a password; only the position is passed on. */
function malformedJson(error: Error): Error {
  const position = /position (\d+)/.exec(error.message)?.[1];
  const where = position === undefined ? '' : ` at position ${position}`;
  return invalidParameter(`The request body is not valid JSON${where}.`);
}

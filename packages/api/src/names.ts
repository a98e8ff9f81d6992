import { invalidParameter, notFound } from '@ironbark/core';
import { introduced } from './microversion-table.ts';
import { notAcceptable } from './microversion.ts';
import { uuidPattern } from './schemas/fields.ts';

const uuidExpression = new RegExp(uuidPattern);
/** Unreserved characters of RFC 3986. */
const logicalName = /^[\w.~-]{1,255}$/;
/** RFC 952 and 1123, what API versions before 1.10 allow. */
const hostname = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

/** Words that stand behind `/v1/nodes/` as something else than a node. */
const reservedNames = [
  'detail',
  'validate',
  'states',
  'vendor_passthru',
  'management',
  'maintenance',
  'ports',
  'portgroups',
  'vifs',
  'volume',
  'traits',
  'bios',
  'allocation',
  'history',
];

export function isUuid(text: string): boolean {
  return uuidExpression.test(text);
}

/**
 * Checks what a path says in the place of a node.
 * @returns the node's uuid in lower case, or its name.
 */
export function nodeIdent(text: string, minor: number): string {
  if (isUuid(text)) return text.toLowerCase();
  if (minor < introduced.logicalNames) throw notFound('Node', text);
  if (!logicalName.test(text)) throw invalidParameter('Expected the UUID or the name of a node in the path.');
  return text;
}

/** @throws NOT_FOUND for what is no uuid, since nothing can have that address. */
export function recordUuid(what: string, text: string): string {
  if (isUuid(text)) return text.toLowerCase();
  throw notFound(what, text.slice(0, 255));
}

/** Checks the name that a client wants to give a node. */
export function checkNodeName(name: string, minor: number): void {
  if (minor < introduced.logicalNames) throw notAcceptable('The field "name"', introduced.logicalNames);
  const isAllowed = minor < introduced.anyLogicalName ? hostname.test(name) : logicalName.test(name);
  if (!isAllowed || name.length > 255 || isUuid(name))
    throw invalidParameter(`Cannot give a node the invalid name ${JSON.stringify(name.slice(0, 255))}.`, {
      hint: 'A name has letters, digits and -._~ and does not look like a UUID.',
    });
  if (reservedNames.includes(name))
    throw invalidParameter(`The word "${name}" is reserved and can not be used as a node name.`, {
      hint: `Reserved words are: ${reservedNames.join(', ')}.`,
    });
}

import { isInfo, isSecret, IronbarkError, invalidParameter, MASK, type InfoValue } from '@ironbark/core';
import { depthAtMost, isDeeperThan } from './nesting.ts';
import type { JsonSchema, Static } from './schemas/json-schema.ts';

/** The operations of RFC 6902 that the Bare Metal API knows. */
export const patchSchema = {
  type: 'array',
  maxItems: 1000,
  items: {
    type: 'object',
    properties: {
      op: { type: 'string', enum: ['add', 'replace', 'remove'] },
      path: { type: 'string', maxLength: 4096, pattern: '^/', description: 'a JSON pointer that begins with a slash' },
      value: {},
    },
    required: ['op', 'path'],
    additionalProperties: false,
  },
} as const satisfies JsonSchema;

export type PatchRequest = Static<typeof patchSchema>;

interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  /** The path's parts; the first one is a field of the record. */
  readonly keys: readonly string[];
  readonly value: InfoValue | undefined;
}

export interface Patch {
  readonly operations: readonly PatchOperation[];
  /** Fields of the record that the operations touch, each once. */
  readonly fields: readonly string[];
}

/**
 * Reads a patch document.
 * @param allowed fields that may be patched.
 * @throws INVALID_PARAMETER naming the path that cannot be patched.
 */
export function readPatch(document: PatchRequest, allowed: readonly string[]): Patch {
  const operations = document.map((item): PatchOperation => {
    const { op, path } = item;
    const keys = path.slice(1).split('/').map(unescapeKey);
    if (!allowed.includes(keys[0] ?? ''))
      throw invalidParameter(`Cannot patch ${shown(path)}. Only the following can be updated: ${allowed.join(', ')}`);
    if (keys.includes('__proto__')) throw invalidParameter(`Cannot patch ${shown(path)}.`);
    if (op !== 'remove' && !Object.hasOwn(item, 'value'))
      throw invalidParameter(`The patch operation ${op} ${shown(path)} lacks the required field "value".`);
    return { op, path, keys, value: item.value as InfoValue | undefined };
  });
  return { operations, fields: [...new Set(operations.map(({ keys }) => keys[0] as string))] };
}

/** RFC 6901: `~1` stands for a slash, `~0` for a tilde. */
function unescapeKey(key: string): string {
  return key.includes('~') ? key.replaceAll('~1', '/').replaceAll('~0', '~') : key;
}

type Container = Record<string, InfoValue> | InfoValue[];

/**
 * Applies a patch.
 * @param read the present value of a field of the record.
 * @returns the new values of the fields that the patch touches; null for a field that was removed.
 * @throws INVALID_PARAMETER naming the operation that does not apply.
 */
export function applyPatch(patch: Patch, read: (field: string) => InfoValue): Readonly<Record<string, InfoValue>> {
  const record: Record<string, InfoValue> = {};
  for (const field of patch.fields) record[field] = clone(read(field));
  for (const operation of patch.operations) applyOperation(record, operation);
  if (isDeeperThan(record, depthAtMost))
    throw invalidParameter(`The patch nests values deeper than ${depthAtMost} levels.`);
  return Object.fromEntries(patch.fields.map((field) => [field, restoreSecrets(record[field] ?? null, read(field))]));
}

/** Copies what a patch may change. Secrets cannot be changed, only replaced. */
function clone(value: InfoValue): InfoValue {
  if (Array.isArray(value)) return value.map(clone);
  if (!isInfo(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clone(item)]));
}

function applyOperation(record: Record<string, InfoValue>, operation: PatchOperation): void {
  const { keys, op, value } = operation;
  let container: Container = record;
  for (const key of keys.slice(0, -1)) container = descend(container, key, operation);
  const key = keys.at(-1) as string;
  if (Array.isArray(container)) patchList(container, key, operation);
  else if (op === 'remove') removeKey(container, key, operation);
  else if (op === 'replace' && !Object.hasOwn(container, key)) throw doesNotApply(operation);
  else container[key] = value as InfoValue;
}

function descend(container: Container, key: string, operation: PatchOperation): Container {
  const next = Array.isArray(container)
    ? container[listIndex(key, container.length - 1, operation)]
    : Object.hasOwn(container, key)
      ? container[key]
      : undefined;
  if (Array.isArray(next) || isInfo(next)) return next as Container;
  throw doesNotApply(operation);
}

/** What a free-form object does not hold counts as removed: `node unset --instance-info image_source` is safe to repeat. */
function removeKey(container: Record<string, InfoValue>, key: string, operation: PatchOperation): void {
  if (operation.keys.length > 1) delete container[key];
  else if (Object.hasOwn(container, key)) container[key] = null;
  else throw doesNotApply(operation);
}

function patchList(list: InfoValue[], key: string, operation: PatchOperation): void {
  const { op, value } = operation;
  const last = op === 'add' ? list.length : list.length - 1;
  const index = op === 'add' && key === '-' ? list.length : listIndex(key, last, operation);
  if (op === 'add') list.splice(index, 0, value as InfoValue);
  else if (op === 'remove') list.splice(index, 1);
  else list[index] = value as InfoValue;
}

function listIndex(key: string, last: number, operation: PatchOperation): number {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(key) || Number(key) > last) throw doesNotApply(operation);
  return Number(key);
}

function doesNotApply({ op, path }: PatchOperation): IronbarkError {
  return invalidParameter(`Couldn't apply patch '${op} ${shown(path)}'. Reason: there is nothing at that path.`);
}

function shown(path: string): string {
  return path.slice(0, 255);
}

/** A client that sends back the mask it was shown keeps the secret that stands behind it. */
function restoreSecrets(value: InfoValue, previous: InfoValue | undefined): InfoValue {
  if (value === MASK && isSecret(previous)) return previous;
  if (Array.isArray(value))
    return value.map((item, index) => restoreSecrets(item, Array.isArray(previous) ? previous[index] : undefined));
  if (!isInfo(value)) return value;
  const before = isInfo(previous) ? previous : {};
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      restoreSecrets(item, Object.hasOwn(before, key) ? before[key] : undefined),
    ]),
  );
}

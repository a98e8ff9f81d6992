import { invalidParameter } from '@ironbark/core';

const segment = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Name of a node's directory: its uuid, lower case with dashes and nothing else. @throws INVALID_PARAMETER. */
export function nodeDirectory(nodeUuid: string): string {
  if (uuid.test(nodeUuid)) return nodeUuid;
  throw invalidParameter(`${JSON.stringify(nodeUuid)} cannot name a directory of boot files: it is no uuid.`);
}

/**
 * Checks a path relative to a root: names of letters, digits, `.`, `_`, `:` and `-` that begin with a letter or a digit, so that
 * none is hidden and none leads upwards.
 * @throws INVALID_PARAMETER quoting the path.
 */
export function checkBootPath(path: string): string {
  if (isBootPath(path)) return path;
  throw invalidParameter(`${JSON.stringify(path)} is no path inside the tree of boot files.`, {
    hint: 'Use names of letters, digits, ".", "_", ":" and "-", separated by "/".',
  });
}

/** A path inside the node's own directory. */
export function checkNodePath(nodeUuid: string, path: string): string {
  if (checkBootPath(path).startsWith(`${nodeDirectory(nodeUuid)}/`)) return path;
  throw invalidParameter(`${JSON.stringify(path)} is outside the directory of boot files of node ${nodeUuid}.`);
}

/** A path that belongs to no node's directory. */
export function checkSharedPath(path: string): string {
  if (isSharedPath(checkBootPath(path))) return path;
  throw invalidParameter(`${JSON.stringify(path)} is inside the directory of a node's boot files.`);
}

function isBootPath(path: string): boolean {
  return path.split('/').every((name) => segment.test(name));
}

export function isSharedPath(path: string): boolean {
  return isBootPath(path) && !uuid.test(path.split('/', 1)[0] ?? '');
}

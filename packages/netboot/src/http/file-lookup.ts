import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { hasErrorCode } from '../files/atomic-write.ts';

export interface ServedFile {
  readonly handle: FileHandle;
  /** Path of the file itself, links resolved. */
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  /** Changes whenever the file is replaced. */
  readonly etag: string;
}

/**
 * Splits a request target into names below the root: origin form, or absolute form as proxies send it.
 * @returns undefined for whatever is no plain path: bad escapes, NUL and other control characters, separators hidden in escapes,
 * and names that begin with a dot, which are ours (`.x.new`) or lead upwards.
 */
export function requestedNames(target: string): readonly string[] | undefined {
  const [, path] = /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)/i.exec(target) ?? [];
  if (path === undefined) return undefined;
  let names: readonly string[];
  try {
    names = path.split('/').map((name) => decodeURIComponent(name));
  } catch {
    return undefined;
  }
  const plain = names.filter((name) => name !== '');
  // oxlint-disable-next-line no-control-regex
  return plain.length > 0 && plain.every((name) => !/^\.|[/\\\u0000-\u001F\u007F]/.test(name)) ? plain : undefined;
}

/**
 * Opens a regular file below the root. Links are followed only when they stay inside.
 * @param root real path of the root.
 * @returns undefined when there is no such file; the caller closes the handle otherwise.
 */
export async function openBelow(root: string, names: readonly string[]): Promise<ServedFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    const path = await realpath(join(root, ...names));
    if (!path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return undefined;
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      await handle.close();
      return undefined;
    }
    const etag = `"${stats.ino.toString(36)}-${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}"`;
    return { handle, path, size: Number(stats.size), modifiedMs: Number(stats.mtimeMs), etag };
  } catch (error) {
    await handle?.close();
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO')) return undefined;
    throw error;
  }
}

import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** What a directory is made with, less the umask. */
const directoryMode = 0o755;

/** Where a new version is made. The name is fixed, so that what a killed process left is found again; no server serves dot files. */
function stagingPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Mode of a directory whose files whoever may read files of this mode can open. */
export function directoryModeFor(fileMode: number): number {
  return 0o700 | (fileMode & 0o044) | ((fileMode & 0o044) >> 2);
}

/** Makes a directory and its parents. Those that it makes have at least this mode, whatever the umask. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: directoryMode });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) {
    const before = (await stat(made)).mode & 0o7777;
    if ((before | mode) !== before) await chmod(made, before | mode);
  }
}

/**
 * Makes a directory and its parents below `root`, with at least this mode. Refuses a symbolic link in their place: it could lead out of
 * the root.
 */
export async function ensureDirectory(root: string, relative: string, mode: number): Promise<void> {
  let path = root;
  for (const name of relative.split('/').filter((part) => part !== '' && part !== '.')) {
    path = join(path, name);
    const stats = await lstat(path).catch((error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (stats === undefined) await makeDirectory(path, mode);
    else if (!stats.isDirectory()) throw Object.assign(new Error(`${path} is no directory`), { code: 'ENOTDIR' });
  }
}

/** Whether a regular file (not a link to one) has this content and mode already. */
async function isUpToDate(path: string, content: Buffer, mode: number): Promise<boolean> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.size !== content.length || (stats.mode & 0o777) !== mode) return false;
    return content.equals(await file.readFile());
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ELOOP', 'EACCES')) return false;
    throw error;
  } finally {
    await file?.close();
  }
}

/** Replaces a file: readers see the old content or the new, also after a power failure. An unchanged file is left alone. */
export async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  const content = Buffer.from(text);
  if (await isUpToDate(path, content, mode)) return;
  const staging = stagingPath(path);
  try {
    await makeAnew(staging, () => writeDurably(staging, content, mode));
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
}

/** Replaces a file by a copy of another: readers see the old content or the new, also after a power failure. */
export async function copyAtomically(source: string, path: string, mode: number): Promise<void> {
  const staging = stagingPath(path);
  // Where the file system can, the copy shares the blocks of the original. The copy must not go through a link at its place.
  const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;
  try {
    await makeAnew(staging, () => copyFile(source, staging, flags));
    const file = await open(staging, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
}

/** Returns when what was made, renamed or removed in these directories would survive a power failure. */
export async function syncDirectories(paths: Iterable<string>): Promise<void> {
  for (const path of new Set(paths)) {
    let directory: FileHandle | undefined;
    try {
      directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      await directory.sync();
    } catch (error) {
      // Some network file systems cannot flush a directory; they do it by themselves.
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'ENOTSUP')) throw error;
    } finally {
      await directory?.close();
    }
  }
}

/** Gives a regular file this mode. @returns false when none is there; a link to one is none. */
export async function changeMode(path: string, mode: number): Promise<boolean> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return false;
    if ((stats.mode & 0o777) !== mode) await file.chmod(mode);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  } finally {
    await file?.close();
  }
}

/** Whether a regular file, or a link to one, is there. */
export async function isRegularFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Makes a file or link; what an interrupted attempt left at its place goes first. */
async function makeAnew(path: string, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    await rm(path);
    await make();
  }
}

async function writeDurably(path: string, content: Buffer, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Makes a symbolic link, or replaces what is at its place; an unchanged link is left alone. */
export async function linkAtomically(path: string, target: string): Promise<void> {
  if ((await readLink(path)) === target) return;
  try {
    await symlink(target, path);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    const staging = stagingPath(path);
    await makeAnew(staging, () => symlink(target, staging));
    await rename(staging, path);
  }
}

/** Removes a symbolic link that has this target, and what an interrupted replacement left; anything else stays. */
export async function unlinkIfTarget(path: string, target: string): Promise<void> {
  for (const candidate of [stagingPath(path), path]) {
    if ((await readLink(candidate)) !== target) continue;
    await unlink(candidate).catch((error: unknown) => {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    });
  }
}

/** Removes a directory with all that is in it; links in it, and one in its place, are removed and not followed. Safe to repeat. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    if (hasErrorCode(error, 'ENOTDIR')) return await unlink(path);
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      await (entry.isDirectory() ? removeTree(inside) : unlink(inside));
    }
    await rmdir(path);
  }
}

/** Removes all files and links below a directory but those that are kept, and the directories that are empty then. */
export async function pruneTree(path: string, kept: ReadonlySet<string>): Promise<void> {
  if ([...kept].every((one) => !one.startsWith(`${path}/`))) return await removeTree(path);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) await pruneTree(inside, kept);
    else if (!kept.has(inside)) await unlink(inside);
  }
}

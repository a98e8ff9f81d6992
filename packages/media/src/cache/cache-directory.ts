import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Validators } from '../origin/origin.ts';

/** A copy of an image: a directory with the image and what is known of it, which appears and disappears as a whole. */
export interface CacheEntry {
  readonly directory: string;
  readonly about: EntryFacts;
  /** When it was used last before the start, as `Date.now()` tells. */
  readonly usedAt: number;
}

export interface EntryFacts {
  /** Hash of the key of the origin. */
  readonly key: string;
  /** For an operator who looks into the directory. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly validators: Validators;
  readonly fetchedAt: string;
}

const factsSchema = z.object({
  key: z.string(),
  name: z.string(),
  sizeBytes: z.int(),
  validators: z.record(z.string(), z.string()),
  fetchedAt: z.string(),
});

const factsFile = 'about.json';
const entryName = /^[0-9a-f]{64}\.[0-9a-f]{16}$/;
const partialName = /^\.partial-[0-9a-f]{16}$/;

/** Names of entries are hashes: an address may be longer than a name of a file, and holds anything. */
export function entryKey(originKey: string): string {
  return createHash('sha256').update(originKey).digest('hex');
}

export function imagePath(directory: string): string {
  return join(directory, 'image');
}

/** Makes the directory and removes what interrupted downloads have left. Anything that is not of the cache is left alone. */
export async function openCacheDirectory(root: string): Promise<readonly CacheEntry[]> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const entries: CacheEntry[] = [];
  for (const name of await readdir(root)) {
    const directory = join(root, name);
    if (partialName.test(name)) await rm(directory, { recursive: true, force: true });
    if (!entryName.test(name)) continue;
    const entry = await readEntry(directory);
    if (entry !== undefined && name.startsWith(`${entry.about.key}.`)) entries.push(entry);
    else await rm(directory, { recursive: true, force: true });
  }
  return entries;
}

/** @returns undefined when something of it is missing. */
async function readEntry(directory: string): Promise<CacheEntry | undefined> {
  try {
    const path = join(directory, factsFile);
    const about = factsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const entry = { directory, about, usedAt: (await stat(path)).mtimeMs };
    return (await isWhole(entry)) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the image is still there: somebody may have cleaned up. */
export async function isWhole({ directory, about }: CacheEntry): Promise<boolean> {
  const stats = await stat(imagePath(directory)).catch(() => undefined);
  return stats?.size === about.sizeBytes;
}

/** @returns a new directory that nobody sees as an entry. */
export async function makePartial(root: string): Promise<string> {
  const directory = join(root, `.partial-${randomBytes(8).toString('hex')}`);
  await mkdir(directory, { mode: 0o700 });
  return directory;
}

/** Makes a partial directory, whose image is complete and flushed, an entry. */
export async function publish(root: string, partial: string, about: EntryFacts): Promise<CacheEntry> {
  await writeFile(join(partial, factsFile), JSON.stringify(about), { mode: 0o600, flush: true });
  const directory = join(root, `${about.key}.${randomBytes(8).toString('hex')}`);
  await rename(partial, directory);
  return { directory, about, usedAt: Date.now() };
}

/** Remembers for the next start that the entry was used now. */
export async function noteUse({ directory }: CacheEntry): Promise<void> {
  const now = new Date();
  // It does no harm when somebody has removed it.
  await utimes(join(directory, factsFile), now, now).catch(() => {});
}

/** In two steps, so that a half-removed entry is never taken for one. */
export async function removeEntry(root: string, { directory }: CacheEntry): Promise<void> {
  const partial = join(root, `.partial-${randomBytes(8).toString('hex')}`);
  await rename(directory, partial).catch(() => {});
  await rm(partial, { recursive: true, force: true });
}

import { rm } from 'node:fs/promises';
import { IronbarkError, type Logger } from '@ironbark/core';
import { throwIfAborted } from '@ironbark/http';
import { imageError } from '../image-error.ts';
import type { ImageContent, Origin } from '../origin/origin.ts';
import { SharedWork } from '../shared-work.ts';
import {
  entryKey,
  imagePath,
  isWhole,
  makePartial,
  noteUse,
  openCacheDirectory,
  publish,
  type CacheEntry,
} from './cache-directory.ts';
import { CacheSpace } from './cache-space.ts';
import { receive } from './receive.ts';

export interface ImageCacheOptions {
  readonly directory: string;
  readonly sizeBytes: number;
  readonly log: Logger;
}

/** Copies of images on disk: complete, verified, and bounded in size. One process at a time uses the directory. */
export class ImageCache {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #space: CacheSpace;
  readonly #fetches = new SharedWork<CacheEntry>();

  private constructor({ directory, sizeBytes, log }: ImageCacheOptions, entries: readonly CacheEntry[]) {
    this.#directory = directory;
    this.#log = log;
    this.#space = new CacheSpace({ root: directory, limitBytes: sizeBytes }, entries);
  }

  /** @throws CONFIG_INVALID when the directory cannot be used. */
  static async open(options: ImageCacheOptions): Promise<ImageCache> {
    try {
      const cache = new ImageCache(options, await openCacheDirectory(options.directory));
      await cache.#space.removeSuperseded();
      await cache.#space.trim();
      return cache;
    } catch (cause) {
      throw new IronbarkError(
        'CONFIG_INVALID',
        `The image cache ${options.directory} cannot be used: ${text(cause)}.`,
        {
          hint: 'Make it writable for the conductor, or set settings.images.cache_directory to another directory.',
          cause,
        },
      );
    }
  }

  /** Gives the work the path of a copy that is as new as the origin has it, and keeps the copy until the work has ended. */
  async use<R>(origin: Origin, signal: AbortSignal, work: (path: string) => Promise<R>): Promise<R> {
    const entry = await this.#hold(origin, signal);
    try {
      await noteUse(entry);
      return await work(imagePath(entry.directory));
    } finally {
      await this.#space.release(entry);
    }
  }

  /** Ends downloads. */
  async close(): Promise<void> {
    await this.#fetches.close();
  }

  async #hold(origin: Origin, signal: AbortSignal): Promise<CacheEntry> {
    const where = `Image ${origin.name}`;
    for (;;) {
      const entry = await this.#fetches.join(origin.key, signal, where, (shared) => this.#fetch(origin, shared));
      // It may have made room for another one meanwhile.
      if (this.#space.hold(entry)) return entry;
    }
  }

  async #fetch(origin: Origin, signal: AbortSignal): Promise<CacheEntry> {
    const copy = await this.#wholeCopy(entryKey(origin.key));
    let content;
    try {
      content = await origin.fetch(copy?.about.validators ?? null, 0, signal);
    } finally {
      // An outdated one may make room for its successor.
      if (copy !== undefined) await this.#space.release(copy);
    }
    if (content !== null) return await this.#download(origin, content, signal);
    if (copy !== undefined) return copy;
    throw new IronbarkError('INTERNAL', `Image ${origin.name} was neither fetched nor in the cache.`);
  }

  /** The copy that there is, held; one that somebody has damaged is replaced. */
  async #wholeCopy(key: string): Promise<CacheEntry | undefined> {
    const copy = this.#space.find(key);
    if (copy === undefined || !this.#space.hold(copy)) return undefined;
    if (await isWhole(copy)) return copy;
    await this.#space.release(copy);
    return undefined;
  }

  async #download(origin: Origin, first: ImageContent, signal: AbortSignal): Promise<CacheEntry> {
    const { name } = origin;
    const startedAt = performance.now();
    let partial: string | undefined;
    let reservation;
    try {
      reservation = await this.#space.reserve(first.sizeBytes, name);
      const room = reservation;
      partial = await makePartial(this.#directory);
      const { content, sizeBytes } = await receive(origin, first, {
        path: imagePath(partial),
        signal,
        log: this.#log,
        onBytes: async (count) => {
          await this.#space.grow(room, count, name);
          room.writtenBytes += count;
        },
        onRestart: () => {
          room.writtenBytes = 0;
        },
      });
      const about = { key: entryKey(origin.key), name, sizeBytes, validators: content.validators };
      const entry = await publish(this.#directory, partial, { ...about, fetchedAt: new Date().toISOString() });
      this.#space.add(entry);
      const ms = Math.round(performance.now() - startedAt);
      this.#log.info({ image: name, bytes: sizeBytes, ms }, 'Fetched an image.');
      return entry;
    } catch (error) {
      first.bytes.close();
      if (partial !== undefined) await rm(partial, { recursive: true, force: true });
      throwIfAborted(signal, `Image ${name}`);
      throw explained(error, name, this.#directory);
    } finally {
      if (reservation !== undefined) this.#space.giveBack(reservation);
      await this.#space.removeSuperseded();
    }
  }
}

/** An error of the file system in our words; any other as it is. */
function explained(error: unknown, name: string, directory: string): unknown {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return error;
  const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].some((code) => error.code === code);
  return imageError(
    isFull ? 'IMAGE_NO_SPACE' : 'IMAGE_CACHE_FAILED',
    `Image ${name} could not be written to ${directory}: ${text(error)}.`,
    {
      hint: isFull
        ? 'Free some space there, or lower settings.images.cache_size_gib.'
        : 'Make the directory writable for the conductor, or set settings.images.cache_directory.',
      retryable: isFull,
      cause: error,
    },
  );
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { statfs } from 'node:fs/promises';
import { imageError } from '../image-error.ts';
import type { CacheEntry } from './cache-directory.ts';
import { removeEntry } from './cache-directory.ts';

/** Space is asked for in steps where the size is not known before. */
const stepBytes = 16 * 2 ** 20;

interface Held {
  readonly entry: CacheEntry;
  users: number;
  /** There is a newer copy: this one goes when nobody uses it. */
  isSuperseded: boolean;
}

/** Space for a download: what it may write, and what it has written. */
export interface Reservation {
  reservedBytes: number;
  writtenBytes: number;
}

export interface CacheSpaceOptions {
  readonly root: string;
  readonly limitBytes: number;
}

/** The entries of a cache and the downloads on their way into it, which together stay below a limit. */
export class CacheSpace {
  readonly #options: CacheSpaceOptions;
  /** In the order of their last use. */
  readonly #held = new Set<Held>();
  readonly #reservations = new Set<Reservation>();

  constructor(options: CacheSpaceOptions, entries: readonly CacheEntry[]) {
    this.#options = options;
    for (const entry of [...entries].sort((a, b) => a.usedAt - b.usedAt)) this.add(entry);
  }

  /** The newest copy. */
  find(key: string): CacheEntry | undefined {
    return [...this.#held].find(({ entry, isSuperseded }) => entry.about.key === key && !isSuperseded)?.entry;
  }

  /** Takes an entry in instead of the copy that there was. */
  add(entry: CacheEntry): void {
    for (const held of this.#held) held.isSuperseded ||= held.entry.about.key === entry.about.key;
    this.#held.add({ entry, users: 0, isSuperseded: false });
  }

  /** Keeps an entry until {@link release}. @returns false when it is gone already. */
  hold(entry: CacheEntry): boolean {
    const held = this.#heldOf(entry);
    if (held === undefined) return false;
    held.users += 1;
    this.#held.delete(held);
    this.#held.add(held);
    return true;
  }

  async release(entry: CacheEntry): Promise<void> {
    const held = this.#heldOf(entry);
    if (held === undefined) return;
    held.users -= 1;
    await this.removeSuperseded();
  }

  async removeSuperseded(): Promise<void> {
    for (const held of this.#held) if (held.isSuperseded && held.users === 0) await this.#remove(held);
  }

  /** Removes what was not used for the longest time, until the entries are below the limit. */
  async trim(): Promise<void> {
    while (this.#usedBytes() > this.#options.limitBytes) {
      const oldest = this.#oldestIdle();
      if (oldest === undefined) return;
      await this.#remove(oldest);
    }
  }

  /** @param sizeBytes null: not known; {@link grow} asks for more then. */
  async reserve(sizeBytes: number | null, name: string): Promise<Reservation> {
    const reservation = { reservedBytes: 0, writtenBytes: 0 };
    this.#reservations.add(reservation);
    try {
      if (sizeBytes !== null) await this.#makeRoom(reservation, sizeBytes, name);
      return reservation;
    } catch (error) {
      this.giveBack(reservation);
      throw error;
    }
  }

  /** Makes room for so many bytes more to be written. */
  async grow(reservation: Reservation, bytes: number, name: string): Promise<void> {
    const missing = reservation.writtenBytes + bytes - reservation.reservedBytes;
    if (missing > 0) await this.#makeRoom(reservation, Math.max(missing, this.#step(reservation)), name);
  }

  giveBack(reservation: Reservation): void {
    this.#reservations.delete(reservation);
  }

  /** Less than a step where the limit is near. */
  #step({ reservedBytes }: Reservation): number {
    return Math.min(stepBytes, this.#options.limitBytes - reservedBytes);
  }

  async #makeRoom(reservation: Reservation, bytes: number, name: string): Promise<void> {
    const { root, limitBytes } = this.#options;
    const wanted = reservation.reservedBytes + bytes;
    if (wanted > limitBytes) {
      throw imageError('IMAGE_TOO_LARGE', `Image ${name} has ${wanted} bytes or more, and the cache ${limitBytes}.`, {
        hint: 'Raise settings.images.cache_size_gib, or use a smaller image.',
      });
    }
    for (;;) {
      const { bavail, bsize } = await statfs(root);
      const isFree = bavail * bsize >= bytes + this.#unwrittenBytes();
      if (isFree && this.#usedBytes() + bytes <= limitBytes) break;
      const oldest = this.#oldestIdle();
      if (oldest === undefined) throw noSpace(isFree, { root, name, bytes });
      await this.#remove(oldest);
    }
    reservation.reservedBytes = wanted;
  }

  #usedBytes(): number {
    const entries = [...this.#held].map(({ entry }) => entry.about.sizeBytes);
    return sum([...entries, ...[...this.#reservations].map(({ reservedBytes }) => reservedBytes)]);
  }

  #unwrittenBytes(): number {
    return sum([...this.#reservations].map(({ reservedBytes, writtenBytes }) => reservedBytes - writtenBytes));
  }

  #oldestIdle(): Held | undefined {
    return [...this.#held].find(({ users }) => users === 0);
  }

  #heldOf(entry: CacheEntry): Held | undefined {
    return [...this.#held].find((held) => held.entry === entry);
  }

  async #remove(held: Held): Promise<void> {
    this.#held.delete(held);
    await removeEntry(this.#options.root, held.entry);
  }
}

function noSpace(isFree: boolean, facts: { readonly root: string; readonly name: string; readonly bytes: number }) {
  const { root, name, bytes } = facts;
  const reason = isFree ? 'what is in the cache is in use' : `the disk of ${root} is full`;
  const hint = isFree ? 'Try again later, or raise settings.images.cache_size_gib.' : `Free some space at ${root}.`;
  return imageError('IMAGE_NO_SPACE', `There is no room for ${bytes} bytes of image ${name}: ${reason}.`, {
    hint,
    retryable: true,
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

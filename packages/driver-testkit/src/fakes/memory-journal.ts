import { IronbarkError, isInfo, isSecret, type InfoValue, type Journal } from '@ironbark/core';

/** A journal in memory that, like the durable one, keeps JSON values only and hands out copies. */
export class MemoryJournal implements Journal {
  readonly #notes = new Map<string, InfoValue>();
  readonly #onPut: (key: string) => void;
  #lost = false;

  /** @param onPut called when a note has been written. */
  constructor(onPut: (key: string) => void = () => {}) {
    this.#onPut = onPut;
  }

  get(key: string): Promise<InfoValue | undefined> {
    return Promise.resolve(this.#notes.get(key));
  }

  async put(key: string, value: InfoValue): Promise<void> {
    this.#checkLock();
    this.#notes.set(key, copyOf(value, key));
    await Promise.resolve();
    this.#onPut(key);
  }

  async delete(key: string): Promise<void> {
    this.#checkLock();
    this.#notes.delete(key);
    await Promise.resolve();
  }

  list(): Promise<ReadonlyMap<string, InfoValue>> {
    return Promise.resolve(this.notes());
  }

  /** What is written down now. */
  notes(): ReadonlyMap<string, InfoValue> {
    return new Map(this.#notes);
  }

  /** From now on every write fails with LOCK_LOST, as if another conductor had taken the node over. */
  loseLock(): void {
    this.#lost = true;
  }

  #checkLock(): void {
    if (this.#lost) throw new IronbarkError('LOCK_LOST', 'The lock of the node was lost to another conductor.');
  }
}

function copyOf(value: InfoValue, key: string): InfoValue {
  if (Array.isArray(value)) return Object.freeze(value.map((item) => copyOf(item, key)));
  if (isSecret(value) || value === null || ['string', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (isInfo(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.freeze(Object.fromEntries(entries.map(([name, item]) => [name, copyOf(item, key)])));
  }
  throw new TypeError(`Journal note ${key} holds a value that is neither JSON nor a Secret.`);
}

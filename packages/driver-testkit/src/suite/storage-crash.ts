import type { Journal } from '@ironbark/core';
import { settled } from './outcome.ts';
import type { StorageBench, StorageContext } from './storage-harness.ts';

export type Moment = 'before' | 'after';

/**
 * Runs `body` after an `attach` that stopped for ever around the second creation, as if the conductor had been killed. What the backend
 * was making for other volumes at that moment gets done; nothing else happens for them, because the dead write no notes.
 */
export async function useWithCrash(
  context: StorageContext,
  moment: Moment,
  body: (bench: StorageBench) => Promise<void>,
): Promise<void> {
  const crashed = Promise.withResolvers<void>();
  const idle = new Idle();
  let creations = 0;
  let isAlive = true;
  const onCreate = (now: Moment) => {
    const isLast = isAlive && now === moment && ++creations === 2;
    if (now === 'before' && !isLast) idle.enter();
    if (now === 'after') idle.leave();
    if (!isLast) return Promise.resolve();
    isAlive = false;
    crashed.resolve();
    return new Promise<void>(() => {});
  };
  await context.use(
    [2],
    async (bench) => {
      const journal = mortal(bench.journal(bench.records()), () => isAlive);
      const attach = bench.driver.attach(bench.task(bench.records(), { journal }));
      await settled('the second creation', Promise.race([crashed.promise, attach.then(() => crashed.promise)]));
      await settled('what the backend was making', idle.reached());
      await body(bench);
    },
    { onCreate },
  );
}

/** Tells when nothing is under way. */
class Idle {
  #count = 0;
  #reached = Promise.withResolvers<void>();

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#reached.resolve();
    this.#reached = Promise.withResolvers();
  }

  async reached(): Promise<void> {
    if (this.#count > 0) await this.#reached.promise;
  }
}

/** A journal that a dead conductor writes nothing into. */
function mortal(journal: Journal, isAlive: () => boolean): Journal {
  const alive = async () => {
    if (!isAlive()) await new Promise<never>(() => {});
  };
  return {
    get: (key) => journal.get(key),
    list: () => journal.list(),
    async put(key, value) {
      await alive();
      await journal.put(key, value);
      await alive();
    },
    async delete(key) {
      await alive();
      await journal.delete(key);
    },
  };
}

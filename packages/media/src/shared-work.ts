import { unlessAborted } from '@ironbark/http';

interface Running<Result> {
  readonly result: Promise<Result>;
  readonly controller: AbortController;
  waiting: number;
}

/** Work that callers at the same time share. It is aborted when the last of them has given up. */
export class SharedWork<Result> {
  readonly #running = new Map<string, Running<Result>>();
  readonly #unfinished = new Set<Promise<unknown>>();

  /**
   * @param where names the work in the error of an abort.
   * @throws what the work throws, or the reason of the caller's abort.
   */
  async join(
    key: string,
    signal: AbortSignal,
    where: string,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const running = this.#running.get(key) ?? this.#begin(key, work);
    running.waiting += 1;
    try {
      return await unlessAborted(running.result, signal, where);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0) {
        running.controller.abort();
        if (this.#running.get(key) === running) this.#running.delete(key);
      }
    }
  }

  /** Aborts what is under way and waits for its end. */
  async close(): Promise<void> {
    for (const { controller } of this.#running.values()) controller.abort();
    await Promise.allSettled(this.#unfinished);
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<Result>): Running<Result> {
    const controller = new AbortController();
    const running = { result: work(controller.signal), controller, waiting: 0 };
    this.#running.set(key, running);
    this.#unfinished.add(running.result);
    const forget = () => {
      this.#unfinished.delete(running.result);
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    running.result.then(forget, forget);
    return running;
  }
}

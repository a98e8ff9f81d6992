interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/**
 * Time that passes only when it is told to: for drivers that take their clock from outside. A free-running clock moves itself on
 * at every sleep, so that a driver that polls reaches its deadline at once.
 */
export class SteppedClock {
  readonly #freeRunning: boolean;
  readonly #sleepers = new Set<Sleeper>();
  #now = 0;

  constructor(options: { readonly freeRunning?: boolean } = {}) {
    this.#freeRunning = options.freeRunning ?? false;
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** @throws the signal's reason when it is aborted before the time has passed. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#freeRunning) {
      await Promise.resolve();
      signal?.throwIfAborted();
      this.#now += ms;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { wakesAt: this.#now + ms, wake: resolve };
    const onAbort = () => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason as Error);
    };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].sort((a, b) => a.wakesAt - b.wakesAt)) {
      if (sleeper.wakesAt > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

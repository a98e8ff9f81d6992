import { setTimeout as sleepFor } from 'node:timers/promises';

/** Time as the fake machines see it; tests bring their own. */
export interface Clock {
  /** @throws the signal's reason when it is aborted before the time has passed. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  async sleep(ms, signal) {
    try {
      await sleepFor(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};

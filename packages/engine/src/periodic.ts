import { explain, type Logger } from '@ironbark/core';

/** Work that is repeated until it is stopped. */
export interface Periodic {
  start(): void;
  /** Aborts the work that runs and waits for its end. */
  stop(): Promise<void>;
}

/** @param intervalMs from the end of one run to the beginning of the next; 0: never. */
export function createPeriodic(
  name: string,
  intervalMs: number,
  log: Logger,
  work: (signal: AbortSignal) => Promise<void>,
): Periodic {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await work(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) log.error({ error: explain(error) }, `${name} failed; it is repeated later`);
    }
    schedule();
  };
  const schedule = () => {
    if (abort.signal.aborted || intervalMs === 0) return;
    timer = setTimeout(() => (running = run()), intervalMs).unref();
  };
  return {
    start: schedule,
    async stop() {
      abort.abort(new Error('the conductor is shutting down'));
      clearTimeout(timer);
      await running;
    },
  };
}

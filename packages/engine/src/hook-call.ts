import { explain, IronbarkError, type Task } from '@ironbark/core';

interface Observed<Arguments extends readonly unknown[]> {
  promise(...args: Arguments): Promise<unknown>;
}

/** How long taps that only observe are waited for. */
const boundMs = 10_000;

/** Waits for taps of a hook that only observes, but not for ever: the work on the machine goes on. @throws OPERATION_TIMEOUT. */
export async function withinBound(taps: Promise<unknown>): Promise<void> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new IronbarkError(
        'OPERATION_TIMEOUT',
        `A hook tap did not end within ${boundMs / 1000} s; it is no longer waited for.`,
      ),
    );
  }, boundMs);
  try {
    await Promise.race([taps, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the taps of a hook that only observes: a tap that throws or hangs is logged and does no harm. */
export async function observe<Arguments extends readonly [Task, ...unknown[]]>(
  hook: Observed<Arguments>,
  ...args: Arguments
): Promise<void> {
  try {
    await withinBound(hook.promise(...args));
  } catch (error) {
    args[0].log.warn({ error: explain(error) }, 'a hook tap failed');
  }
}

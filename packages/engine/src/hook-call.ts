import { explain, type Task } from '@ironbark/core';

interface Observed<Arguments extends readonly unknown[]> {
  promise(...args: Arguments): Promise<unknown>;
}

/** Runs the taps of a hook that only observes: a tap that throws is logged and does no harm. */
export async function observe<Arguments extends readonly [Task, ...unknown[]]>(
  hook: Observed<Arguments>,
  ...args: Arguments
): Promise<void> {
  try {
    await hook.promise(...args);
  } catch (error) {
    args[0].log.warn({ error: explain(error) }, 'a hook tap failed');
  }
}

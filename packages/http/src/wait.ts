import { setTimeout as delay } from 'node:timers/promises';
import { IronbarkError, isIronbarkError } from '@ironbark/core';

/** @throws the reason of the abort, or OPERATION_ABORTED when the reason does not say more. */
export function throwIfAborted(signal: AbortSignal, where: string): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  if (isIronbarkError(reason)) throw reason;
  throw new IronbarkError('OPERATION_ABORTED', `${where}: stopped before it was done.`, { cause: reason });
}

/** @throws as {@link throwIfAborted}. */
export async function pause(ms: number, signal: AbortSignal, where: string): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throwIfAborted(signal, where);
    throw error;
  }
}

export interface PollOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Names the service in errors. */
  readonly where: string;
}

/**
 * Looks again and again until there is a result; at least once, and once more when the time is up.
 * @param look gives undefined as long as there is nothing.
 * @returns undefined when the time was up.
 */
export async function poll<T>(look: () => Promise<T | undefined>, options: PollOptions): Promise<T | undefined> {
  const end = performance.now() + options.timeoutMs;
  for (;;) {
    const found = await look();
    const left = end - performance.now();
    if (found !== undefined || left <= 0) return found;
    await pause(Math.min(options.intervalMs, left), options.signal, options.where);
  }
}

/**
 * Waits for work that several callers share; it goes on for the others when one of them gives up.
 * @throws as {@link throwIfAborted}, or what the work throws.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, where: string): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    throwIfAborted(signal, where);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

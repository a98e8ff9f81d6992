import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from './lab-error.ts';

export interface WaitOptions {
  /** What is waited for, for the error message: "qemu to answer". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks again and again until there is an answer other than undefined.
 * @throws LAB_TIMEOUT
 */
export async function poll<T>(ask: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= deadline) throw timedOut(options);
    await delay(options.intervalMs ?? 50, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

export function timedOut(options: WaitOptions): LabError {
  return new LabError('LAB_TIMEOUT', `Waited ${options.timeoutMs / 1000} s in vain for ${options.what}.`);
}

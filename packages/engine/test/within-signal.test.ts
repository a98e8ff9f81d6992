import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withinSignal } from '../src/within-signal.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a driver whose signal is aborted', () => {
  it.each(['before it begins', 'while it works'])('%s, and that does not obey, is given up', async (when) => {
    const abort = new AbortController();
    if (when === 'before it begins') abort.abort();
    const ended = vi.fn<(error: unknown) => void>();
    withinSignal(new Promise<never>(() => {}), abort.signal).catch(ended);
    abort.abort();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: 'OPERATION_TIMEOUT' }));
  });

  it('still tells its result when it ends soon', async () => {
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<string>();
    const result = withinSignal(promise, abort.signal);
    abort.abort();
    await vi.advanceTimersByTimeAsync(4000);
    resolve('done');
    await expect(result).resolves.toBe('done');
  });
});

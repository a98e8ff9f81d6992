import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStepSignal } from '../src/operations/step-signal.ts';

describe('the signal of a step', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is aborted when the time is over, and says so', () => {
    const limit = createStepSignal(1000, new AbortController().signal);
    vi.advanceTimersByTime(999);
    expect([limit.signal.aborted, limit.isOverdue]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([limit.signal.aborted, limit.isOverdue]).toEqual([true, true]);
    expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('is aborted together with the other signal, for the same reason', () => {
    const stop = new AbortController();
    const limit = createStepSignal(1000, stop.signal);
    stop.abort('shutdown');
    expect([limit.signal.reason, limit.isOverdue]).toEqual(['shutdown', false]);
  });

  it('is aborted from the beginning when the other signal is', () => {
    expect(createStepSignal(1000, AbortSignal.abort('shutdown')).signal.reason).toBe('shutdown');
  });

  it('is aborted by nothing once it is released', () => {
    const stop = new AbortController();
    const limit = createStepSignal(1000, stop.signal);
    limit.release();
    vi.advanceTimersByTime(1000);
    stop.abort();
    expect(limit.signal.aborted).toBe(false);
  });
});

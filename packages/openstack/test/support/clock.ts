import { onTestFinished, vi } from 'vitest';

/** Stops the date for the rest of a test; connections and timeouts go on. @returns what lets seconds pass. */
export function stopTheClock(): (seconds: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return (seconds) => {
    vi.setSystemTime(Date.now() + seconds * 1000);
  };
}

import { onTestFinished } from 'vitest';

/** Sets the umask of the process until the test ends. */
export function setUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

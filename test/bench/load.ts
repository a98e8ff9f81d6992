import { cpuMs, residentMiB } from './process-usage.ts';

export interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Processor time of the measured process per operation. */
  readonly cpuMsPerOperation: number;
  readonly residentMiB: number;
}

/** Runs an operation `count` times with a number of clients at once and measures the process that serves it. */
export async function measure(
  pid: number,
  concurrency: number,
  count: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Measurement> {
  const durations: number[] = [];
  let next = 0;
  const client = async () => {
    for (let index = next++; index < count; index = next++) {
      const begun = performance.now();
      await operation(index);
      durations.push(performance.now() - begun);
    }
  };
  const cpuBefore = cpuMs(pid);
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  const elapsedMs = performance.now() - begun;
  const cpu = cpuMs(pid) - cpuBefore;
  durations.sort((left, right) => left - right);
  const percentile = (share: number) =>
    durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? 0;
  return {
    perSecond: (count / elapsedMs) * 1000,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    cpuMsPerOperation: cpu / count,
    residentMiB: residentMiB(pid),
  };
}

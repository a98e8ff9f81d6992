import { measure, type Measurement } from './load.ts';

export const header = ['operation', 'clients', 'per second', 'p50 ms', 'p95 ms', 'CPU ms', 'Ironic CPU ms', 'RSS MiB'];

export type Row = readonly (string | number)[];

/** Processor time per operation of a real Ironic on 2 cores. It was measured once, elsewhere: constants, not part of the run. */
export const ironicCpuMs = {
  show: 3.5,
  list: 240,
  create: 10,
  patch: 30,
  heartbeat: 20,
  cycle: 150,
} as const;

export interface RowOptions {
  readonly pid: number;
  readonly name: string;
  readonly concurrency: number;
  /** Operations to measure. */
  readonly count: number;
  readonly operation: (index: number) => Promise<unknown>;
  /** Figure of the reference for the same operation. */
  readonly ironic?: number;
}

export async function measureRow(options: RowOptions): Promise<Row> {
  const { pid, name, concurrency, count, operation, ironic } = options;
  return formatRow(name, concurrency, await measure(pid, concurrency, count, operation), ironic);
}

function formatRow(name: string, concurrency: number, measured: Measurement, ironic: number | undefined): Row {
  const { perSecond, p50Ms, p95Ms, cpuMsPerOperation, residentMiB } = measured;
  return [
    name,
    concurrency,
    perSecond.toFixed(0),
    p50Ms.toFixed(2),
    p95Ms.toFixed(2),
    cpuMsPerOperation.toFixed(cpuMsPerOperation < 10 ? 3 : 1),
    ironic ?? '–',
    residentMiB.toFixed(0),
  ];
}

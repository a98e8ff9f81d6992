import { readFileSync } from 'node:fs';

/** Clock ticks per second that Linux counts processor time in (`getconf CLK_TCK`); 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

/** Processor time of a process so far, user and system, in milliseconds. Its resolution is 10 ms: measure many operations at once. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields after the command name, which may hold blanks and parentheses: utime and stime are the 14th and 15th of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

import { inspect } from 'node:util';
import { isIronbarkError } from '@ironbark/core';
import { pino, type Logger as PinoLogger } from 'pino';
import type { Config } from './config/load.ts';

/** The log of a process, on standard error. Written synchronously: the last line before the end is not lost. */
export function createLog({ level, pretty }: Config['log'], write?: (line: string) => void): PinoLogger {
  const output = write ?? ((line: string) => process.stderr.write(line));
  const serializers = { err: serializeError, error: serializeError };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers };
  if (pretty) return pino(options, { write: (line: string) => output(formatLine(line)) });
  return write === undefined ? pino(options, pino.destination(2)) : pino(options, { write });
}

/** Errors with what an operator needs first; the stack for mistakes in a program only. */
function serializeError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const cause = value.cause === undefined ? {} : { cause: serializeError(value.cause) };
  if (!isIronbarkError(value)) return { message: value.message, stack: value.stack, ...cause };
  const { code, message, hint, details } = value;
  return { code, message, hint, details, ...cause };
}

const levels: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

function formatLine(line: string): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as { readonly [key: string]: unknown };
  const clock = String(time).slice(11, 23);
  const values = Object.entries(facts).map(([key, value]) => {
    return ` ${key}=${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, compact: true, depth: 9 })}`;
  });
  return `${clock} ${(levels[Number(level)] ?? String(level)).padEnd(5)} ${String(msg)}${values.join('')}\n`;
}

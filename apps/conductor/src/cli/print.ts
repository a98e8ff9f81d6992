import { inspect } from 'node:util';
import { isIronbarkError } from '@ironbark/core';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A sentence, the code and what to do next; with `debug` also where it came from. */
export function printError(error: unknown, debug: boolean): void {
  const lines = isIronbarkError(error)
    ? [`Error: ${error.message} [${error.code}]`, error.hint]
    : [
        `Error: ${error instanceof Error ? error.message : String(error)} [INTERNAL]`,
        'This is a mistake in Ironbark or a plugin.',
      ];
  if (debug) lines.push(inspect(error, { depth: 5 }));
  else if (!isIronbarkError(error)) lines.push('Run the command with --debug to see where it happened.');
  process.stderr.write(`${lines.filter((line) => line !== undefined).join('\n')}\n`);
}

/** Columns as wide as their widest cell, two blanks apart; the last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const format = (row: readonly string[]) => {
    return row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  };
  return rows.map((row) => format(row).trimEnd()).join('\n');
}

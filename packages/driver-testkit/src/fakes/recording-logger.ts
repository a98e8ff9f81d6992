import type { Logger } from '@ironbark/core';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: object;
  readonly message: string;
}

/** A logger that keeps its lines. Children write into the same list, with their bindings among the facts. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[];
  readonly #bindings: object;

  constructor(lines: LogLine[] = [], bindings: object = {}) {
    this.lines = lines;
    this.#bindings = bindings;
  }

  debug(facts: object, message: string): void {
    this.#write('debug', facts, message);
  }

  info(facts: object, message: string): void {
    this.#write('info', facts, message);
  }

  warn(facts: object, message: string): void {
    this.#write('warn', facts, message);
  }

  error(facts: object, message: string): void {
    this.#write('error', facts, message);
  }

  child(bindings: object): Logger {
    return new RecordingLogger(this.lines, { ...this.#bindings, ...bindings });
  }

  #write(level: LogLine['level'], facts: object, message: string): void {
    this.lines.push({ level, facts: { ...this.#bindings, ...facts }, message });
  }
}

import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { createWriteStream, type WriteStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { timedOut } from './wait.ts';

// Control sequences of terminals (ECMA-48): SeaBIOS paints its screen on the serial port.
// oxlint-disable-next-line no-control-regex
const controlSequence = /\u001B(?:\[[0-9;?=]*[ -/]*[@-~]|[@-Z\\-_])/g;
// What begins a new line on a screen: cursor positions, and text wiped out with backspaces as iPXE does with its prompt.
// oxlint-disable-next-line no-control-regex
const lineBreak = /\u001B\[\d+;\d+H|(?:\u0008 \u0008)+/g;

/** What a machine wrote on its serial port: a log file over all its boots, and its lines as they come. */
export class SerialConsole {
  /** Lines without control sequences; empty ones are left out. */
  readonly events = new EventEmitter<{ line: [string] }>();
  readonly path: string;
  readonly #lines: string[] = [];
  readonly #log: WriteStream;
  #rest = '';

  constructor(path: string) {
    this.path = path;
    this.#log = createWriteStream(path, { flags: 'a', mode: 0o600 });
    this.events.setMaxListeners(0);
  }

  /** All complete lines so far, over all boots. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Takes over the output of a machine that was just started. */
  attach(output: Readable): void {
    const decoder = new StringDecoder('latin1');
    output.on('data', (bytes: Buffer) => {
      this.#log.write(bytes);
      this.#receive(decoder.write(bytes));
    });
    output.on('end', () => this.#receive('\n'));
  }

  /**
   * Waits for a line; lines before number `from` do not count. The default counts those that come from now on.
   * @throws LAB_TIMEOUT, or the signal's reason.
   */
  async waitForLine(
    pattern: RegExp,
    options: { readonly timeoutMs: number; readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<string> {
    let next = options.from ?? this.#lines.length;
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    for (;;) {
      for (; next < this.#lines.length; next += 1) {
        const line = this.#lines[next] ?? '';
        if (pattern.test(line)) return line;
      }
      await once(this.events, 'line', { signal }).catch((error: unknown) => {
        options.signal?.throwIfAborted();
        if (!timeout.aborted) throw error;
        throw timedOut({
          what: `${pattern} on ${this.path}; last: ${this.#lines.at(-1)}`,
          timeoutMs: options.timeoutMs,
        });
      });
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#log.end(() => resolve());
    });
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).replaceAll(lineBreak, '\n').split(/[\r\n]+/);
    this.#rest = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.replaceAll(controlSequence, '').trimEnd();
      if (line === '') continue;
      this.#lines.push(line);
      this.events.emit('line', line);
    }
  }
}

import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { LabError } from './lab-error.ts';

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A client of qemu's machine protocol (docs/interop/qmp-spec.txt) over an open channel; answers arrive in order. */
export class QmpClient {
  /** Names of what qemu reports by itself: "RESET". */
  readonly events = new EventEmitter<{ event: [string] }>();
  readonly #channel: Duplex;
  readonly #pending: Pending[] = [];
  #closed = false;

  constructor(channel: Duplex) {
    this.#channel = channel;
    channel.on('error', () => this.#close()).on('close', () => this.#close());
    const lines = createInterface({ input: channel }).on('line', (line) => this.#receive(line));
    // It repeats the errors of the channel, which are dealt with above.
    lines.on('error', () => undefined);
  }

  /** Ends the negotiation mode; nothing else works before. */
  async negotiate(): Promise<void> {
    await this.execute('qmp_capabilities');
  }

  /** @throws LAB_COMMAND_FAILED with qemu's description, LAB_PROCESS_ENDED when qemu is gone. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#closed) throw gone(command);
    return new Promise((resolve, reject) => {
      this.#pending.push({ command, resolve, reject });
      this.#channel.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  #receive(line: string): void {
    const message = JSON.parse(line) as { return?: unknown; error?: { desc: string }; event?: string };
    if (message.event !== undefined) this.events.emit('event', message.event);
    // The greeting and events answer nothing.
    if (message.return === undefined && message.error === undefined) return;
    const pending = this.#pending.shift();
    if (message.error === undefined) pending?.resolve(message.return);
    else pending?.reject(new LabError('LAB_COMMAND_FAILED', `qemu refused ${pending.command}: ${message.error.desc}`));
  }

  #close(): void {
    this.#closed = true;
    for (const { command, reject } of this.#pending.splice(0)) reject(gone(command));
  }
}

function gone(command: string): LabError {
  return new LabError('LAB_PROCESS_ENDED', `qemu ended before it answered ${command}.`);
}

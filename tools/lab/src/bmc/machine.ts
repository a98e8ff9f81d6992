import { EventEmitter } from 'node:events';
import type { BootDevice, MediaSlot } from '../virtual-machine.ts';

/** What a BMC switches: a virtual machine, or nothing at all. Same events and methods as `VirtualMachine`. */
export interface Machine {
  readonly events: EventEmitter<{ boot: []; off: [] }>;
  readonly macAddresses: readonly string[];
  readonly memoryMiB: number;
  readonly isOn: boolean;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  reset(): Promise<void>;
  pressPowerButton(): Promise<void>;
  injectNmi(): Promise<void>;
  setBootOrder(order: readonly BootDevice[]): Promise<void>;
  insertMedia(slot: MediaSlot, source: string): Promise<void>;
  ejectMedia(slot: MediaSlot): Promise<void>;
}

/** A machine in memory: every change takes effect at once. */
export class SimulatedMachine implements Machine {
  readonly events = new EventEmitter<{ boot: []; off: [] }>();
  readonly macAddresses: readonly string[];
  readonly memoryMiB = 8192;
  /** Whether an operating system runs that heeds the power button. */
  heedsPowerButton = true;
  #isOn = false;

  constructor(macAddresses: readonly string[]) {
    this.macAddresses = macAddresses;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  async powerOn(): Promise<void> {
    if (this.#isOn) return;
    this.#isOn = true;
    this.events.emit('boot');
  }

  async powerOff(): Promise<void> {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.events.emit('off');
  }

  async reset(): Promise<void> {
    if (this.#isOn) this.events.emit('boot');
  }

  async pressPowerButton(): Promise<void> {
    if (this.heedsPowerButton) await this.powerOff();
  }

  async injectNmi(): Promise<void> {}

  async setBootOrder(): Promise<void> {}

  async insertMedia(): Promise<void> {}

  async ejectMedia(): Promise<void> {}
}

import { EventEmitter } from 'node:events';
import type { BootDevice, Firmware, MediaSlot } from '../virtual-machine.ts';

/** What a BMC switches: a virtual machine, or nothing at all. Same events and methods as `VirtualMachine`. */
export interface Machine {
  readonly events: EventEmitter<{ boot: []; off: [] }>;
  /** `any`: it boots in both modes. */
  readonly firmware: Firmware | 'any';
  /** Whether `setHttpBootUrl` has an effect; else DHCP says what UEFI HTTP boot loads. */
  readonly takesHttpBootUrl: boolean;
  readonly macAddresses: readonly string[];
  readonly memoryMiB: number;
  readonly isOn: boolean;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  reset(): Promise<void>;
  pressPowerButton(): Promise<void>;
  injectNmi(): Promise<void>;
  setBootOrder(order: readonly BootDevice[]): Promise<void>;
  /** What a network boot loads; null: what DHCP says. */
  setHttpBootUrl(url: string | null): void;
  insertMedia(slot: MediaSlot, source: string): Promise<void>;
  ejectMedia(slot: MediaSlot): Promise<void>;
}

/** A machine in memory: every change takes effect at once. */
export class SimulatedMachine implements Machine {
  readonly events = new EventEmitter<{ boot: []; off: [] }>();
  readonly firmware: Firmware | 'any';
  readonly macAddresses: readonly string[];
  readonly memoryMiB = 8192;
  /** Whether an operating system runs that heeds the power button. */
  heedsPowerButton = true;
  #isOn = false;

  constructor(macAddresses: readonly string[], firmware: Firmware | 'any' = 'any') {
    this.macAddresses = macAddresses;
    this.firmware = firmware;
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

  get takesHttpBootUrl(): boolean {
    return this.firmware !== 'bios';
  }

  async setBootOrder(): Promise<void> {}

  setHttpBootUrl(): void {}

  async insertMedia(): Promise<void> {}

  async ejectMedia(): Promise<void> {}
}

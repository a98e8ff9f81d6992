import { EventEmitter } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, type Service } from './child-process.ts';
import { LabError } from './lab-error.ts';
import { bootIndex, deviceIds, ovmf, qemuArguments, type IndexedDevice } from './qemu-arguments.ts';
import { QmpClient } from './qmp.ts';
import { SerialConsole } from './serial-console.ts';

const startTimeoutMs = 20_000;
const stopTimeoutMs = 5000;
const biosBanner = /SeaBIOS \(version /;
// OVMF has no banner. It starts when qemu does and after a reset, and qemu keeps the boot order for it as it is then.
const uefiStarts = ['RESUME', 'RESET'];

/**
 * What the firmware can boot from: the first network card, the same by UEFI HTTP boot instead of PXE, the local disk, the virtual CD.
 */
export type BootDevice = 'network' | 'http' | 'disk' | 'cd';
export type MediaSlot = 'cd' | 'floppy';

export type Firmware = 'bios' | 'uefi';

/** What the first network card is connected to. */
export type MachineNetwork =
  | {
      /** A network of the machine's own, with DHCP of qemu; the host is 10.0.2.2. */
      readonly kind: 'user';
      /** What DHCP offers: an http URL as the guest sees it, or a file below `tftpRoot`. */
      readonly bootFile?: string | undefined;
      /** Directory that the network serves by TFTP. */
      readonly tftpRoot?: string | undefined;
    }
  | {
      /** A tap interface that exists, with whatever serves its network. */
      readonly kind: 'tap';
      readonly interface: string;
    };

export interface VirtualMachineOptions {
  readonly name: string;
  /** Where the serial log goes, as `NAME.serial.log`. */
  readonly directory: string;
  /** Default: `bios`, which is SeaBIOS with iPXE for the network; `uefi` is OVMF with its own PXE and HTTP boot. */
  readonly firmware?: Firmware | undefined;
  /** Of the first network card. Default: a user network without a boot file. */
  readonly network?: MachineNetwork | undefined;
  /** Of the first network card. Default: 52:54:00:12:34:56. */
  readonly macAddress?: string | undefined;
  /** More network cards, each on a user network without a boot file. */
  readonly extraMacAddresses?: readonly string[] | undefined;
  /** Default: 1536, so that the initramfs of a distribution has room. */
  readonly memoryMiB?: number | undefined;
  /** Image file of a local disk. */
  readonly disk?: string | undefined;
}

interface Running {
  readonly service: Service;
  readonly qmp: QmpClient;
}

/**
 * A PC under qemu (emulated, no KVM): SeaBIOS or OVMF, a virtio network card, empty CD and floppy drives. Each power on is a new
 * qemu process, and power off its end, whoever asked for it; a UEFI machine starts with fresh variables then.
 */
export class VirtualMachine {
  /** `boot`: the firmware has started, after power on or reset, and has read its boot order. `off`: the power went off. */
  readonly events = new EventEmitter<{ boot: []; off: [] }>();
  readonly name: string;
  readonly firmware: Firmware;
  readonly macAddresses: readonly string[];
  readonly memoryMiB: number;
  readonly serial: SerialConsole;
  readonly #options: VirtualMachineOptions;
  readonly #media = new Map<MediaSlot, string>();
  #bootOrder: readonly BootDevice[] = ['network', 'disk', 'cd'];
  #httpBootUrl: string | null = null;
  #running: Running | undefined;

  constructor(options: VirtualMachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.macAddresses = [options.macAddress ?? '52:54:00:12:34:56', ...(options.extraMacAddresses ?? [])];
    this.memoryMiB = options.memoryMiB ?? 1536;
    this.firmware = options.firmware ?? 'bios';
    this.serial = new SerialConsole(join(options.directory, `${options.name}.serial.log`));
    // Not qemu's RESET event: SeaBIOS resets the machine once more by itself when it finds that it ran before.
    this.serial.events.on('line', (line) => {
      if (biosBanner.test(line)) this.events.emit('boot');
    });
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  /** Of the qemu process; undefined when the power is off. */
  get pid(): number | undefined {
    return this.#running?.service.pid;
  }

  /** Whether the firmware can be given a URL to boot from; on a tap interface DHCP gives it. */
  get takesHttpBootUrl(): boolean {
    return this.firmware === 'uefi' && this.#options.network?.kind !== 'tap';
  }

  get hasDisk(): boolean {
    return this.#options.disk !== undefined;
  }

  /** Does nothing when the power is on. @throws LAB_PROCESS_ENDED with what qemu printed. */
  async powerOn(): Promise<void> {
    if (this.#running !== undefined) return;
    const service = startService('qemu-system-x86_64', this.#arguments());
    const qmp = new QmpClient(service.channel);
    qmp.events.on('event', (name) => {
      if (this.firmware === 'uefi' && uefiStarts.includes(name)) this.events.emit('boot');
    });
    const running = { service, qmp };
    this.#running = running;
    this.serial.attach(service.stdout);
    const ended = service.exited.then(({ stderr }) => {
      if (this.#running === running) this.#running = undefined;
      this.events.emit('off');
      return stderr;
    });
    const timer = setTimeout(() => void service.stop('SIGKILL'), startTimeoutMs);
    try {
      await this.#start(qmp);
    } catch (error) {
      await service.stop('SIGKILL');
      const what = error instanceof Error ? error.message : String(error);
      throw new LabError('LAB_PROCESS_ENDED', `${this.name} did not start: ${what}\n${await ended}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes the power away at once. */
  async powerOff(): Promise<void> {
    await this.#running?.service.stop('SIGTERM', stopTimeoutMs);
  }

  /** Presses the ACPI power button: the guest decides what follows. */
  async pressPowerButton(): Promise<void> {
    await this.#execute('system_powerdown');
  }

  async reset(): Promise<void> {
    await this.#execute('system_reset');
  }

  async injectNmi(): Promise<void> {
    await this.#execute('inject-nmi');
  }

  /**
   * Sets what the firmware tries, in this order, from the next power on or reset on; nothing else is tried. Whether the network
   * means PXE or HTTP boot is settled at power on.
   */
  async setBootOrder(order: readonly BootDevice[]): Promise<void> {
    this.#bootOrder = order;
    if (this.#running !== undefined) await this.#writeBootOrder(this.#running.qmp);
  }

  /** Sets what a network boot loads, as the guest sees it, from the next power on on; null: what the network offers. */
  setHttpBootUrl(url: string | null): void {
    this.#httpBootUrl = url;
  }

  /** Inserts what qemu reads from the URL (http or https; the server has to answer ranges) or from a file. */
  async insertMedia(slot: MediaSlot, source: string): Promise<void> {
    if (this.#running !== undefined) await changeMedium(this.#running.qmp, slot, source);
    this.#media.set(slot, source);
  }

  async ejectMedia(slot: MediaSlot): Promise<void> {
    this.#media.delete(slot);
    await this.#running?.qmp.execute('eject', { id: slot, force: true });
  }

  /** Ends the machine for good. The serial log stays. */
  async close(): Promise<void> {
    await this.powerOff();
    await this.serial.close();
  }

  async #start(qmp: QmpClient): Promise<void> {
    await qmp.negotiate();
    for (const [slot, source] of this.#media) await changeMedium(qmp, slot, source);
    await qmp.execute('cont');
  }

  async #execute(command: string): Promise<void> {
    if (this.#running === undefined) throw new LabError('LAB_INVALID', `The power of ${this.name} is off.`);
    await this.#running.qmp.execute(command);
  }

  /** The firmware reads the order at reset; an index may not be given to two devices even for a moment. */
  async #writeBootOrder(qmp: QmpClient): Promise<void> {
    const devices = this.#bootDevices();
    const setIndex = async (device: IndexedDevice, value: number): Promise<unknown> =>
      qmp.execute('qom-set', { path: `/machine/peripheral/${deviceIds[device]}`, property: 'bootindex', value });
    for (const device of devices) await setIndex(device, -1);
    for (const device of devices) await setIndex(device, bootIndex(this.#bootOrder, device));
  }

  #bootDevices(): readonly IndexedDevice[] {
    return this.hasDisk ? ['network', 'disk', 'cd'] : ['network', 'cd'];
  }

  #arguments(): readonly string[] {
    const { name, macAddresses, memoryMiB } = this;
    const { directory, disk } = this.#options;
    const url = this.#httpBootUrl;
    const network = url === null ? this.#options.network : ({ kind: 'user', bootFile: url } as const);
    const uefiVariables = this.firmware === 'uefi' ? join(directory, `${name}.vars.fd`) : undefined;
    if (uefiVariables !== undefined) copyVariables(uefiVariables);
    return qemuArguments({ name, macAddresses, memoryMiB, network, disk, bootOrder: this.#bootOrder, uefiVariables });
  }
}

function copyVariables(path: string): void {
  try {
    copyFileSync(ovmf.variables, path);
  } catch (cause) {
    throw new LabError('LAB_PACKAGE_MISSING', 'The variables of OVMF cannot be copied.', {
      hint: 'Install ovmf.',
      cause,
    });
  }
}

async function changeMedium(qmp: QmpClient, slot: MediaSlot, source: string): Promise<void> {
  const medium = { id: slot, filename: source, format: 'raw', 'read-only-mode': 'read-only' };
  await qmp.execute('blockdev-change-medium', medium);
}

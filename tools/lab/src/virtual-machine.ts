import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { startService, type Service } from './child-process.ts';
import { LabError } from './lab-error.ts';
import { QmpClient } from './qmp.ts';
import { SerialConsole } from './serial-console.ts';

const startTimeoutMs = 20_000;
const stopTimeoutMs = 5000;
const firmwareBanner = /SeaBIOS \(version /;

/** What the firmware can boot from: the first network card, the local disk, the virtual CD. */
export type BootDevice = 'network' | 'disk' | 'cd';
export type MediaSlot = 'cd' | 'floppy';

const qemuIds: Readonly<Record<BootDevice, string>> = { network: 'nic0', disk: 'disk0', cd: 'cd' };

export interface VirtualMachineOptions {
  readonly name: string;
  /** Where the serial log goes, as `NAME.serial.log`. */
  readonly directory: string;
  /** What DHCP tells the network boot firmware to load: an http URL as the guest sees it (host: 10.0.2.2). */
  readonly bootUrl?: string | undefined;
  /** Of the first network card. Default: 52:54:00:12:34:56. */
  readonly macAddress?: string | undefined;
  /** More network cards, each on a network of its own without a boot file. */
  readonly extraMacAddresses?: readonly string[] | undefined;
  /** Default: 384. */
  readonly memoryMiB?: number | undefined;
  /** Image file of a local disk. */
  readonly disk?: string | undefined;
}

interface Running {
  readonly service: Service;
  readonly qmp: QmpClient;
}

/**
 * A PC under qemu (emulated, no KVM): SeaBIOS, iPXE in the option ROM of a virtio network card, empty CD and floppy drives.
 * Each power on is a new qemu process, and power off its end, whoever asked for it.
 */
export class VirtualMachine {
  /** `boot`: the firmware has started, after power on or reset, and has read its boot order. `off`: the power went off. */
  readonly events = new EventEmitter<{ boot: []; off: [] }>();
  readonly name: string;
  readonly macAddresses: readonly string[];
  readonly memoryMiB: number;
  readonly serial: SerialConsole;
  readonly #options: VirtualMachineOptions;
  readonly #media = new Map<MediaSlot, string>();
  #bootOrder: readonly BootDevice[] = ['network', 'disk', 'cd'];
  #running: Running | undefined;

  constructor(options: VirtualMachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.macAddresses = [options.macAddress ?? '52:54:00:12:34:56', ...(options.extraMacAddresses ?? [])];
    this.memoryMiB = options.memoryMiB ?? 384;
    this.serial = new SerialConsole(join(options.directory, `${options.name}.serial.log`));
    // Not qemu's RESET event: SeaBIOS resets the machine once more by itself when it finds that it ran before.
    this.serial.events.on('line', (line) => {
      if (firmwareBanner.test(line)) this.events.emit('boot');
    });
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  /** Of the qemu process; undefined when the power is off. */
  get pid(): number | undefined {
    return this.#running?.service.pid;
  }

  get hasDisk(): boolean {
    return this.#options.disk !== undefined;
  }

  /** Does nothing when the power is on. @throws LAB_PROCESS_ENDED with what qemu printed. */
  async powerOn(): Promise<void> {
    if (this.#running !== undefined) return;
    const service = startService('qemu-system-x86_64', this.#arguments());
    const qmp = new QmpClient(service.channel);
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

  /** Sets what the firmware tries, in this order, from the next power on or reset on; nothing else is tried. */
  async setBootOrder(order: readonly BootDevice[]): Promise<void> {
    this.#bootOrder = order;
    if (this.#running !== undefined) await this.#writeBootOrder(this.#running.qmp);
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
    const setIndex = async (device: BootDevice, value: number): Promise<unknown> =>
      qmp.execute('qom-set', { path: `/machine/peripheral/${qemuIds[device]}`, property: 'bootindex', value });
    for (const device of devices) await setIndex(device, -1);
    for (const device of devices) await setIndex(device, this.#bootOrder.indexOf(device));
  }

  #bootDevices(): readonly BootDevice[] {
    return this.hasDisk ? ['network', 'disk', 'cd'] : ['network', 'cd'];
  }

  #arguments(): readonly string[] {
    const { bootUrl, disk } = this.#options;
    const bootIndex = (device: BootDevice): string => `bootindex=${this.#bootOrder.indexOf(device)}`;
    // IPv6 stays on: without its router advertisements iPXE waits 13 s longer for an address.
    const cards = this.macAddresses.flatMap((mac, index) => {
      const bootFile = index === 0 && bootUrl !== undefined ? `,bootfile=${escapeValue(bootUrl)}` : '';
      const order = index === 0 ? `,${bootIndex('network')}` : '';
      return [
        ['-netdev', `user,id=net${index}${bootFile}`],
        ['-device', `virtio-net-pci,id=nic${index},netdev=net${index},mac=${mac}${order}`],
      ];
    });
    const disks = [
      ['-drive', `if=none,id=drive0,format=raw,file=${escapeValue(disk ?? '')}`],
      ['-device', `virtio-blk-pci,id=disk0,drive=drive0,${bootIndex('disk')}`],
    ];
    const options = [
      ['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-name', escapeValue(this.name)],
      // Without graphics SeaBIOS sends its own messages, and so those of iPXE and GRUB, to the serial port.
      ['-machine', 'pc,graphics=off,hpet=off', '-accel', 'tcg', '-cpu', 'max', '-m', String(this.memoryMiB)],
      ['-boot', 'strict=on', '-chardev', 'stdio,id=serial,signal=off', '-serial', 'chardev:serial'],
      ['-chardev', 'socket,id=qmp,fd=3', '-mon', 'chardev=qmp,mode=control'],
      ['-device', `ide-cd,id=cd,bus=ide.1,${bootIndex('cd')}`],
      ['-device', 'floppy,id=floppy,unit=0,drive-type=144'],
      ...cards,
      ...(disk === undefined ? [] : disks),
    ];
    return options.flat();
  }
}

async function changeMedium(qmp: QmpClient, slot: MediaSlot, source: string): Promise<void> {
  const medium = { id: slot, filename: source, format: 'raw', 'read-only-mode': 'read-only' };
  await qmp.execute('blockdev-change-medium', medium);
}

/** In qemu's options a comma inside a value is written twice. */
function escapeValue(value: string): string {
  return value.replaceAll(',', ',,');
}

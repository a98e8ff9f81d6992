import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from './bmc/certificate.ts';
import { BmcSimulator, type BmcOptions } from './bmc/simulator.ts';
import type { BmcSystem } from './bmc/system.ts';
import { copyImage, guestImage } from './guest/image.ts';
import { IscsiServer, type ChapAccount, type IscsiPortal } from './iscsi-server.ts';
import { hostSeenByGuest } from './loopback.ts';
import type { LabNetwork } from './network/lab-network.ts';
import { VirtualMachine, type VirtualMachineOptions } from './virtual-machine.ts';

export interface LabOptions {
  /** Where the lab makes its own folder, which it removes in the end. Default: the system's folder for temporary files. */
  readonly directory?: string;
  /** Where built guest images are kept. Default: ironbark/lab in $XDG_CACHE_HOME or ~/.cache. */
  readonly cacheDirectory?: string;
  readonly bmc?: Omit<BmcOptions, 'certificate'>;
  /** Where the machines and the iSCSI portals are. Default: each machine has a user network, and the portals are on loopback. */
  readonly network?: LabNetwork;
  /** Serves Redfish over https with a certificate made for this lab. Default: false. */
  readonly tls?: boolean;
  /** Stops the lab when it is aborted. */
  readonly signal?: AbortSignal;
}

export interface VolumeOptions {
  /** Also the name of the image file; letters, digits, dots and dashes. */
  readonly name: string;
  /** Default: made from the name. */
  readonly iqn?: string;
  /** Default: 1. */
  readonly lun?: number;
  readonly chap?: ChapAccount;
  readonly mutualChap?: ChapAccount;
}

/** A bootable volume behind its own target. */
export interface Volume {
  readonly iqn: string;
  readonly lun: number;
  /** As machines of the lab reach it. */
  readonly portal: IscsiPortal;
  /** The image file. */
  readonly path: string;
}

export interface LabMachine {
  readonly machine: VirtualMachine;
  readonly system: BmcSystem;
  /** Address of the BMC. */
  readonly address: string;
  /** Path of the system on the BMC. */
  readonly systemPath: string;
}

/** Virtual machines behind a virtual BMC, and iSCSI targets with bootable volumes, all on loopback. */
export class Lab {
  readonly directory: string;
  readonly bmc: BmcSimulator;
  readonly iscsi: IscsiServer;
  readonly #cacheDirectory: string;
  readonly #network: LabNetwork | undefined;
  readonly #machines = new Map<string, VirtualMachine>();
  readonly #onExit = (): void => rmSync(this.directory, { recursive: true, force: true });
  readonly #onAbort = (): void => void this.stop();
  readonly #signal: AbortSignal | undefined;
  #stopped: Promise<void> | undefined;

  constructor(directory: string, bmc: BmcSimulator, iscsi: IscsiServer, options: LabOptions) {
    this.directory = directory;
    this.bmc = bmc;
    this.iscsi = iscsi;
    this.#cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
    this.#network = options.network;
    this.#signal = options.signal;
    process.once('exit', this.#onExit);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The address of the host as machines see it. */
  get hostAddress(): string {
    return this.#network?.address ?? hostSeenByGuest;
  }

  get machines(): ReadonlyMap<string, VirtualMachine> {
    return this.#machines;
  }

  /** Makes a copy of the guest image and exports it. @throws LAB_INVALID, LAB_COMMAND_FAILED, LAB_PACKAGE_MISSING */
  async createVolume(options: VolumeOptions): Promise<Volume> {
    const { name, lun = 1, iqn = `iqn.2026-01.org.ironbark.lab:${name}`, ...accounts } = options;
    const path = join(this.directory, `${name}.img`);
    await copyImage(await guestImage(this.#cacheDirectory), path);
    const { chap, mutualChap } = accounts;
    await this.iscsi.addTarget({
      iqn,
      volumes: { [lun]: path },
      ...(chap === undefined ? {} : { chap }),
      ...(mutualChap === undefined ? {} : { mutualChap }),
    });
    return { iqn, lun, path, portal: { host: this.hostAddress, port: this.iscsi.portal.port } };
  }

  /** Makes a virtual machine, switched off, with a system of the same name on the BMC. Default network: that of the lab. */
  async createMachine(options: Omit<VirtualMachineOptions, 'directory'>): Promise<LabMachine> {
    const network = this.#network && ({ kind: 'tap', interface: await this.#network.addTap() } as const);
    const machine = new VirtualMachine({ network, ...options, directory: this.directory });
    this.#machines.set(machine.name, machine);
    const system = await this.bmc.addMachine(machine.name, machine);
    return { machine, system, address: this.bmc.url, systemPath: this.bmc.systemPath(machine.name) };
  }

  /** Ends all processes and removes all files of the lab; may be called more than once. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // First of all nobody may switch a machine on again.
    await this.bmc.stop();
    const machines = [...this.#machines.values()];
    const results = await Promise.allSettled([...machines.map((machine) => machine.close()), this.iscsi.stop()]);
    await rm(this.directory, { recursive: true, force: true });
    process.removeListener('exit', this.#onExit);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

/**
 * Starts a lab. The caller stops it, or aborts the signal; when the process ends in whatever way, its children end with it.
 * @throws LAB_COMMAND_FAILED, LAB_PROCESS_ENDED, LAB_TIMEOUT, or the signal's reason; nothing is left over then.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  options.signal?.throwIfAborted();
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'ironbark-lab-'));
  await using started = new AsyncDisposableStack();
  started.defer(async () => rm(directory, { recursive: true, force: true }));
  const { signal, network } = options;
  const iscsi = await IscsiServer.start({
    directory,
    ...(network === undefined ? {} : { host: network.address }),
    ...(signal === undefined ? {} : { signal }),
  });
  started.defer(async () => iscsi.stop());
  const certificate = options.tls === true ? { certificate: await createCertificate(directory) } : {};
  const bmc = await BmcSimulator.start({ ...options.bmc, ...certificate });
  started.defer(async () => bmc.stop());
  options.signal?.throwIfAborted();
  const lab = new Lab(directory, bmc, iscsi, options);
  started.move();
  return lab;
}

/** Where what takes long to make is kept. */
export function defaultCacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ironbark', 'lab');
}

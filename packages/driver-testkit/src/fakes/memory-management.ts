import {
  invalidParameter,
  IronbarkError,
  type BootDevice,
  type BootDeviceSetting,
  type BootMode,
  type ManagementInterface,
  type Task,
} from '@ironbark/core';
import { MemoryMachines } from './memory-power.ts';

/** A management interface for {@link MemoryMachines} that keeps the contract. */
export class MemoryManagement implements ManagementInterface {
  readonly machines: MemoryMachines;
  readonly devices: readonly BootDevice[] = ['pxe', 'disk', 'cdrom', 'uefihttp'];

  constructor(machines = new MemoryMachines()) {
    this.machines = machines;
  }

  async validate(_task: Task): Promise<void> {}

  async supportedBootDevices(_task: Task): Promise<readonly BootDevice[]> {
    return Promise.resolve(this.devices);
  }

  async getBootDevice(task: Task): Promise<BootDeviceSetting> {
    const { bootDevice, persistent } = await this.#reach(task);
    return { bootDevice, persistent };
  }

  async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    if (!this.devices.includes(device)) {
      throw invalidParameter(`Node ${task.node.uuid} cannot boot from ${device}.`, {
        hint: `Supported boot devices: ${this.devices.join(', ')}.`,
      });
    }
    const machine = await this.#reach(task);
    if (!machine.ignoresSettings) Object.assign(machine, { bootDevice: device, persistent });
    if (machine.bootDevice !== device || machine.persistent !== persistent) throw notTaken(task, 'boot device');
  }

  async getBootMode(task: Task): Promise<BootMode> {
    return (await this.#reach(task)).bootMode;
  }

  async setBootMode(task: Task, mode: BootMode): Promise<void> {
    const machine = await this.#reach(task);
    if (machine.hasOneBootMode && machine.bootMode !== mode) {
      throw new IronbarkError('UNSUPPORTED', `Node ${task.node.uuid} boots in ${machine.bootMode} mode only.`, {
        hint: `Set capability boot_mode:${machine.bootMode} of the node.`,
      });
    }
    if (!machine.ignoresSettings) machine.bootMode = mode;
    if (machine.bootMode !== mode) throw notTaken(task, 'boot mode');
  }

  async setHttpBootUrl(task: Task, url: string): Promise<void> {
    const machine = await this.#reach(task);
    if (!machine.ignoresSettings) machine.httpBootUrl = url;
    if (machine.httpBootUrl !== url) throw notTaken(task, 'HTTP boot URL');
  }

  async getSecureBoot(task: Task): Promise<boolean | null> {
    return (await this.#reach(task)).secureBoot;
  }

  async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    const machine = await this.#reach(task);
    if (machine.secureBoot === null) {
      throw new IronbarkError('UNSUPPORTED', `Node ${task.node.uuid} has no Secure Boot.`, {
        hint: 'Remove secure_boot from the capabilities of the node.',
      });
    }
    if (!machine.ignoresSettings) machine.secureBoot = enabled;
    if (machine.secureBoot !== enabled) throw notTaken(task, 'state of Secure Boot');
  }

  async #reach(task: Task) {
    await Promise.resolve();
    task.signal.throwIfAborted();
    return this.machines.reach(task.node);
  }
}

function notTaken(task: Task, setting: string): IronbarkError {
  return new IronbarkError('BMC_FAILURE', `The BMC of node ${task.node.uuid} did not take the ${setting}.`, {
    hint: 'Look at the log of the BMC, and set it there.',
  });
}

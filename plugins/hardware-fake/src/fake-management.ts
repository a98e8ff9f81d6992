import {
  invalidParameter,
  IronbarkError,
  type BootDevice,
  type BootDeviceSetting,
  type BootMode,
  type ManagementInterface,
  type Task,
} from '@ironbark/core';
import type { FakeMachines } from './fake-machines.ts';
import type { FakeMachine } from './machine.ts';
import { fakeProperties, type FakeStep } from './node-options.ts';
import type { StepRunner } from './step-runner.ts';

const devices: readonly BootDevice[] = ['pxe', 'disk', 'cdrom', 'uefihttp'];

/** Boot settings of a machine that does not exist. */
export class FakeManagement implements ManagementInterface {
  readonly properties = fakeProperties;
  readonly #machines: FakeMachines;
  readonly #steps: StepRunner;

  constructor(machines: FakeMachines, runner: StepRunner) {
    this.#machines = machines;
    this.#steps = runner;
  }

  async validate(task: Task): Promise<void> {
    await Promise.resolve();
    this.#steps.validate(task, 'management.validate');
  }

  supportedBootDevices(_task: Task): Promise<readonly BootDevice[]> {
    return Promise.resolve(devices);
  }

  async getBootDevice(task: Task): Promise<BootDeviceSetting> {
    await this.#steps.begin(task, 'management.get_boot_device');
    const { bootDevice, persistent } = await this.#machines.read(task.node);
    return { bootDevice, persistent };
  }

  async setBootDevice(task: Task, bootDevice: BootDevice, persistent: boolean): Promise<void> {
    if (!devices.includes(bootDevice)) {
      throw invalidParameter(`The fake machine of node ${task.node.uuid} cannot boot from ${bootDevice}.`, {
        hint: `Supported boot devices: ${devices.join(', ')}.`,
      });
    }
    await this.#set(task, 'management.set_boot_device', { bootDevice, persistent });
  }

  async getBootMode(task: Task): Promise<BootMode> {
    await this.#steps.begin(task, 'management.get_boot_mode');
    return (await this.#machines.read(task.node)).bootMode;
  }

  async setBootMode(task: Task, bootMode: BootMode): Promise<void> {
    await this.#set(task, 'management.set_boot_mode', { bootMode });
  }

  async getSecureBoot(task: Task): Promise<boolean> {
    await this.#steps.begin(task, 'management.get_secure_boot');
    return (await this.#machines.read(task.node)).secureBoot;
  }

  async setSecureBoot(task: Task, secureBoot: boolean): Promise<void> {
    await this.#set(task, 'management.set_secure_boot', { secureBoot });
  }

  async setHttpBootUrl(task: Task, httpBootUrl: string): Promise<void> {
    await this.#set(task, 'management.set_http_boot_url', { httpBootUrl });
  }

  async #set(task: Task, step: FakeStep, change: Partial<FakeMachine>): Promise<void> {
    const { options } = await this.#steps.begin(task, step);
    if (options.ignoredActions !== 'all') await this.#machines.change(task.node, change);
    const machine = await this.#machines.read(task.node);
    const ignored = Object.entries(change).find(([key, value]) => machine[key as keyof FakeMachine] !== value);
    if (ignored === undefined) return;
    throw new IronbarkError('BMC_FAILURE', `The fake BMC of node ${task.node.uuid} did not take ${ignored[0]}.`, {
      hint: 'Take driver_info/fake_ignored_actions away.',
    });
  }
}

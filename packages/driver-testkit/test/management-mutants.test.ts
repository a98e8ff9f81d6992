import { invalidParameter, type BootDevice, type BootDeviceSetting, type BootMode, type Task } from '@ironbark/core';
import { describe } from 'vitest';
import { createNodeRecords, MemoryManagement, type MemoryMachines } from '../src/fakes.ts';
import { describeManagementDriver } from '../src/management.ts';
import { itFindsMutants } from './mutants.ts';
import { managementHarness } from './reference-harnesses.ts';

class AcceptsUnsupportedDevice extends MemoryManagement {
  override async setBootDevice(task: Task, bootDevice: BootDevice, persistent: boolean): Promise<void> {
    if (this.devices.includes(bootDevice)) await super.setBootDevice(task, bootDevice, persistent);
    else Object.assign(this.machines.of(task.node), { bootDevice, persistent });
  }
}

class RefusesWithoutNames extends MemoryManagement {
  override async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    if (!this.devices.includes(device)) throw invalidParameter('This boot device is not supported.');
    await super.setBootDevice(task, device, persistent);
  }
}

class AlwaysPersistent extends MemoryManagement {
  override setBootDevice(task: Task, device: BootDevice): Promise<void> {
    return super.setBootDevice(task, device, true);
  }
}

class ReportsWhatWasAskedFor extends MemoryManagement {
  #asked: BootDeviceSetting = { bootDevice: null, persistent: null };
  override getBootDevice(): Promise<BootDeviceSetting> {
    return Promise.resolve(this.#asked);
  }
  override async setBootDevice(task: Task, bootDevice: BootDevice, persistent: boolean): Promise<void> {
    await super.setBootDevice(task, bootDevice, persistent);
    this.#asked = { bootDevice: 'disk', persistent };
  }
}

class BelievesTheBmc extends MemoryManagement {
  override async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    await super.setBootDevice(task, device, persistent).catch((error: unknown) => {
      if (!this.machines.of(task.node).ignoresSettings) throw error;
    });
  }
}

class ResetsBootDevice extends MemoryManagement {
  override async setBootMode(task: Task, mode: BootMode): Promise<void> {
    await super.setBootMode(task, mode);
    this.machines.of(task.node).bootDevice = null;
  }
}

class LosesBootMode extends MemoryManagement {
  override async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    await super.setBootDevice(task, device, persistent);
    this.machines.of(task.node).bootMode = 'bios';
  }
}

class ClaimsEveryMode extends MemoryManagement {
  override async setBootMode(task: Task, mode: BootMode): Promise<void> {
    await super.setBootMode(task, mode).catch(() => undefined);
  }
}

class RefusesTheOnlyMode extends MemoryManagement {
  override async setBootMode(task: Task, mode: BootMode): Promise<void> {
    if (this.machines.of(task.node).hasOneBootMode) throw invalidParameter('The boot mode cannot be set.');
    await super.setBootMode(task, mode);
  }
}

class ForgetsSecureBoot extends MemoryManagement {
  override async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    if (enabled) await super.setSecureBoot(task, enabled);
  }
}

class ReportsNoSecureBoot extends MemoryManagement {
  override async getSecureBoot(task: Task): Promise<boolean | null> {
    return (await super.getSecureBoot(task)) === true ? true : null;
  }
}

class ClearsDeviceForSecureBoot extends MemoryManagement {
  override async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    await super.setSecureBoot(task, enabled);
    this.machines.of(task.node).bootDevice = null;
  }
}

class BelievesInSecureBoot extends MemoryManagement {
  override async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    await super.setSecureBoot(task, enabled).catch(() => undefined);
  }
}

class CutsUrl extends MemoryManagement {
  override setHttpBootUrl(task: Task, url: string): Promise<void> {
    return super.setHttpBootUrl(task, url.replace(/\?.*$/, ''));
  }
}

class ForgetsUrl extends MemoryManagement {
  override async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    await super.setBootDevice(task, device, persistent);
    this.machines.of(task.node).httpBootUrl = null;
  }
}

const neighbour = createNodeRecords({ number: 1 }).node;

class SetsEveryMachine extends MemoryManagement {
  override async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    await super.setSecureBoot(task, enabled);
    this.machines.of(neighbour).secureBoot = enabled;
  }
  override async setBootMode(task: Task, mode: BootMode): Promise<void> {
    await super.setBootMode(task, mode);
    this.machines.of(neighbour).bootMode = mode;
  }
}

class SetsFirmwareWhenAborted extends MemoryManagement {
  override setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    return super.setSecureBoot({ ...task, signal: new AbortController().signal }, enabled);
  }
}

class IgnoresAbort extends MemoryManagement {
  override setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    return super.setBootDevice({ ...task, signal: new AbortController().signal }, device, persistent);
  }
}

const setDisk =
  'boot device > sets disk persistently and once and reads it back, or refuses it and names what it supports';
const setFloppy =
  'boot device > sets floppy persistently and once and reads it back, or refuses it and names what it supports';

function mutant(fault: string, failsIn: string, make: (machines: MemoryMachines) => MemoryManagement) {
  return { fault, failsIn, harness: managementHarness(make) };
}

describe('the management suite', () => {
  itFindsMutants(describeManagementDriver, [
    mutant('accepts an unsupported device', setFloppy, (machines) => new AcceptsUnsupportedDevice(machines)),
    mutant('does not name what it supports', setFloppy, (machines) => new RefusesWithoutNames(machines)),
    mutant('forgets that a setting is for once', setDisk, (machines) => new AlwaysPersistent(machines)),
    mutant(
      'reports another device than the BMC holds',
      'boot device > sets pxe persistently and once and reads it back, or refuses it and names what it supports',
      (machines) => new ReportsWhatWasAskedFor(machines),
    ),
    mutant(
      'does not read back what it set',
      'interruptions > notices when the BMC does not keep a setting',
      (machines) => new BelievesTheBmc(machines),
    ),
    mutant(
      'loses the boot device with the boot mode',
      'boot mode > leaves the boot device alone when the boot mode is set',
      (machines) => new ResetsBootDevice(machines),
    ),
    mutant(
      'loses the boot mode with the boot device',
      'boot mode > stays uefi when the boot device is set',
      (machines) => new LosesBootMode(machines),
    ),
    mutant(
      'claims to have set a mode that the machine does not have',
      'boot mode > of a machine that has one only is accepted, and any other is refused',
      (machines) => new ClaimsEveryMode(machines),
    ),
    mutant(
      'refuses the mode that the machine has',
      'boot mode > of a machine that has one only is accepted, and any other is refused',
      (machines) => new RefusesTheOnlyMode(machines),
    ),
    mutant(
      'does not turn Secure Boot off',
      'Secure Boot > is turned on and off and read back, or cannot be set',
      (machines) => new ForgetsSecureBoot(machines),
    ),
    mutant(
      'reports Secure Boot that is off as none',
      'Secure Boot > is turned on and off and read back, or cannot be set',
      (machines) => new ReportsNoSecureBoot(machines),
    ),
    mutant(
      'loses the boot device with Secure Boot',
      'Secure Boot > leaves the boot device and the boot mode alone',
      (machines) => new ClearsDeviceForSecureBoot(machines),
    ),
    mutant(
      'does not read back the state of Secure Boot',
      'interruptions > notices when the BMC does not keep a boot mode or a state of Secure Boot',
      (machines) => new BelievesInSecureBoot(machines),
    ),
    mutant(
      'changes the URL',
      'HTTP boot > hands the URL on as it is, or has no setHttpBootUrl',
      (machines) => new CutsUrl(machines),
    ),
    mutant(
      'forgets the URL with the boot device',
      'HTTP boot > hands the URL on as it is, or has no setHttpBootUrl',
      (machines) => new ForgetsUrl(machines),
    ),
    mutant(
      'sets the boot mode of other machines',
      'boot mode > sets bios and reads it back, or has no setBootMode',
      (machines) => new SetsEveryMachine(machines),
    ),
    mutant(
      'sets Secure Boot of other machines',
      'Secure Boot > is turned on and off and read back, or cannot be set',
      (machines) => new SetsEveryMachine(machines),
    ),
    mutant(
      'sets Secure Boot when its signal is aborted',
      'interruptions > does not set the boot mode, Secure Boot or the URL of HTTP boot when its signal is aborted',
      (machines) => new SetsFirmwareWhenAborted(machines),
    ),
    mutant(
      'ignores an aborted signal',
      'interruptions > does not set a device when its signal is aborted',
      (machines) => new IgnoresAbort(machines),
    ),
  ]);
});

import {
  invalidParameter,
  type BootDevice,
  type BootDeviceSetting,
  type BootMode,
  type ManagementInterface,
  type Task,
} from '@ironbark/core';
import type { BootSettings } from '@ironbark/redfish';
import { redfishProperties, validateDriverInfo } from './driver-info.ts';
import type { RedfishSystems } from './redfish-systems.ts';

/** Boot sources of Redfish for the devices of the API, the preferred first. `UsbCd` is Supermicro's name for virtual CDs. */
const sources: ReadonlyMap<BootDevice, readonly string[]> = new Map([
  ['pxe', ['Pxe']],
  ['disk', ['Hdd']],
  ['cdrom', ['Cd', 'UsbCd']],
  ['bios', ['BiosSetup']],
  ['uefihttp', ['UefiHttp']],
  ['floppy', ['Floppy']],
]);

/** What is offered for a BMC that does not say what it allows: the sources of the first version of the specification. */
const commonDevices: ReadonlySet<BootDevice> = new Set(['pxe', 'disk', 'cdrom', 'bios']);

/** Boot settings of machines behind a Redfish BMC. */
export class RedfishManagement implements ManagementInterface {
  readonly properties = redfishProperties;
  readonly #systems: RedfishSystems;

  constructor(systems: RedfishSystems) {
    this.#systems = systems;
  }

  async validate(task: Task): Promise<void> {
    await validateDriverInfo(task.node);
  }

  async supportedBootDevices(task: Task): Promise<readonly BootDevice[]> {
    return this.#systems.use(task, async (system) => [...targetsOf(await system.boot(task.signal)).keys()]);
  }

  async getBootDevice(task: Task): Promise<BootDeviceSetting> {
    return this.#systems.use(task, async (system) => {
      const { target, enabled } = await system.boot(task.signal);
      if (target === null || target === 'None' || enabled === 'Disabled') return { bootDevice: null, persistent: null };
      const bootDevice = [...sources].find(([, names]) => names.includes(target))?.[0] ?? null;
      return { bootDevice, persistent: enabled === null ? null : enabled === 'Continuous' };
    });
  }

  /**
   * @throws INVALID_PARAMETER for a device that the BMC does not offer, naming those that it does; BMC_UNSUPPORTED when the BMC
   * cannot keep a device persistently; BMC_FAILURE when it does not show the setting in time.
   */
  async setBootDevice(task: Task, device: BootDevice, persistent: boolean): Promise<void> {
    await this.#systems.use(task, async (system) => {
      const settings = await system.boot(task.signal);
      const { httpBootUri } = settings;
      const targets = targetsOf(settings);
      const target = targets.get(device);
      if (target === undefined) {
        throw invalidParameter(`The BMC of node ${task.node.uuid} does not offer the boot device ${device}.`, {
          hint: `It offers: ${[...targets.keys()].join(', ') || 'none'}.`,
        });
      }
      const enabled = persistent ? 'Continuous' : 'Once';
      // Some BMCs forget the address with the target that it does not stand beside.
      const beside = device === 'uefihttp' && httpBootUri !== null ? { httpBootUri } : {};
      await system.changeBoot({ target, enabled, ...beside }, task.signal);
    });
  }

  async getBootMode(task: Task): Promise<BootMode | null> {
    return this.#systems.use(task, async (system) => {
      const mode = await system.bootMode(task.signal);
      if (mode === null) return null;
      return mode === 'UEFI' ? 'uefi' : 'bios';
    });
  }

  /** @throws BMC_UNSUPPORTED when the machine has another mode and the BMC cannot change it. */
  async setBootMode(task: Task, mode: BootMode): Promise<void> {
    await this.#systems.use(task, async (system) => {
      await system.changeBootMode(mode === 'uefi' ? 'UEFI' : 'Legacy', task.signal);
    });
  }

  async getSecureBoot(task: Task): Promise<boolean | null> {
    return this.#systems.use(task, async (system) => system.secureBoot(task.signal));
  }

  /** @throws BMC_UNSUPPORTED when the machine has no Secure Boot. */
  async setSecureBoot(task: Task, enabled: boolean): Promise<void> {
    await this.#systems.use(task, async (system) => system.changeSecureBoot(enabled, task.signal));
  }

  async setHttpBootUrl(task: Task, url: string): Promise<void> {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw invalidParameter(`The HTTP boot URL for node ${task.node.uuid} is no http or https URL.`, {
        hint: 'Give a URL such as "https://conductor.example/boot.efi".',
      });
    }
    await this.#systems.use(task, async (system) => {
      await system.changeBoot({ httpBootUri: url }, task.signal);
    });
  }
}

/** The devices that the BMC offers, with its name for each. */
function targetsOf({ allowedTargets, manufacturer }: BootSettings): ReadonlyMap<BootDevice, string> {
  const isSupermicro = manufacturer?.toLowerCase() === 'supermicro';
  const offered = [...sources].flatMap(([device, names]): [BootDevice, string][] => {
    // Supermicro's firmware accepts Cd and then does not boot from virtual media.
    const preferred = isSupermicro ? names.toReversed() : names;
    const target = allowedTargets === null ? names[0] : preferred.find((name) => allowedTargets.includes(name));
    const isOffered = target !== undefined && (allowedTargets !== null || commonDevices.has(device));
    return isOffered ? [[device, target]] : [];
  });
  return new Map(offered);
}

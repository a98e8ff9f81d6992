import type {
  BootInterface,
  CapabilityTag,
  ManagementInterface,
  PowerInterface,
  StorageInterface,
} from '@ironbark/core';
import { malformedIscsiTargets, type StorageHarness } from '../src/storage.ts';
import type { BootHarness } from '../src/boot.ts';
import type { ManagementHarness } from '../src/management.ts';
import type { PowerHarness } from '../src/power.ts';
import {
  MemoryArray,
  MemoryBoot,
  MemoryBootTree,
  MemoryMachines,
  MemoryManagement,
  MemoryPower,
  MemoryStorage,
} from '../src/fakes.ts';

/** Harnesses for the drivers in memory; each takes the driver to put on the backend. */
export function powerHarness(
  make = (machines: MemoryMachines): PowerInterface => new MemoryPower(machines),
): PowerHarness {
  return {
    faults: ['ignores_soft_actions', 'ignores_all_actions', 'power_lost', 'unreachable'],
    create({ records, powerStates }) {
      const machines = new MemoryMachines();
      for (const [index, powerState] of powerStates.entries()) {
        const node = records[index]?.node;
        if (node !== undefined) machines.of(node).powerState = powerState;
      }
      return {
        driver: make(machines),
        records,
        observe: ({ node }) => ({ powerState: machines.of(node).powerState, boots: machines.of(node).boots }),
        inject(fault, faulty) {
          const machine = machines.of(faulty.node);
          if (fault === 'ignores_soft_actions') machine.ignoresSoftActions = true;
          if (fault === 'ignores_all_actions') machine.ignoresAllActions = true;
          if (fault === 'power_lost') machine.powerState = 'power off';
          if (fault === 'unreachable') machine.unreachable = true;
          return faulty;
        },
      };
    },
  };
}

export function managementHarness(
  make = (machines: MemoryMachines): ManagementInterface => new MemoryManagement(machines),
  hasSecureBoot = true,
): ManagementHarness {
  return {
    faults: ['ignores_settings', 'one_boot_mode', 'unreachable'],
    create({ records }) {
      const machines = new MemoryMachines();
      for (const { node } of records) machines.of(node).secureBoot = hasSecureBoot ? false : null;
      return {
        driver: make(machines),
        records,
        observe({ node }) {
          const { bootDevice, persistent, bootMode, httpBootUrl, secureBoot } = machines.of(node);
          return { bootDevice, persistent, bootMode, httpBootUrl, secureBoot };
        },
        inject(fault, faulty) {
          const machine = machines.of(faulty.node);
          if (fault === 'ignores_settings') machine.ignoresSettings = true;
          if (fault === 'one_boot_mode') machine.hasOneBootMode = true;
          if (fault === 'unreachable') machine.unreachable = true;
          return faulty;
        },
      };
    },
  };
}

export function storageHarness(
  make = (array: MemoryArray): StorageInterface => new MemoryStorage(array),
): StorageHarness {
  return {
    attachments: 'managed',
    reconciles: true,
    faults: ['attach_refused', 'release_refused', 'release_ignored', 'unreachable'],
    refuses: malformedIscsiTargets,
    create({ records, onCreate }) {
      const array = new MemoryArray(onCreate);
      return {
        driver: make(array),
        records,
        observe: ({ node }) => array.exportsTo(node.uuid),
        restart: () => make(array),
        inject(fault, faulty) {
          if (fault.name === 'unreachable') array.unreachable = true;
          else if (fault.name === 'attach_refused') array.refusesToAttach.add(fault.volumeId);
          else if (fault.name === 'release_refused') array.refusesToRelease.add(fault.volumeId);
          else array.ignoresRelease.add(fault.volumeId);
          return faulty;
        },
        repair() {
          array.unreachable = false;
          for (const faults of [array.refusesToAttach, array.refusesToRelease, array.ignoresRelease]) faults.clear();
        },
      };
    },
  };
}

/** A boot interface that cannot read volumes, so that it serves kernel and ramdisk of their images. */
export class SystemsBoot extends MemoryBoot {
  override readonly capabilities: readonly CapabilityTag[] = [
    ...new MemoryBoot().capabilities,
    'kernel_from_image',
    'uefi_only',
  ];
}

export function bootHarness(make = (tree: MemoryBootTree): BootInterface => new MemoryBoot(tree)): BootHarness {
  return {
    faults: ['write_refused'],
    hostileTexts: ['"', '\\"; quit'],
    create({ records, images }) {
      const tree = new MemoryBootTree(images);
      return {
        driver: make(tree),
        records,
        observe() {
          const files = [...tree.files].map(([place, content]) => Object.assign(split(place), { content }));
          const links = [...tree.links].map(([place, target]) => Object.assign(split(place), { target }));
          return { files, links };
        },
        inject(_fault, faulty) {
          tree.isFull = true;
          return faulty;
        },
        repair() {
          tree.isFull = false;
        },
      };
    },
  };
}

function split(place: string) {
  const slash = place.indexOf('/');
  return { root: place.slice(0, slash), path: place.slice(slash + 1) };
}

import type { BootDevice } from '../virtual-machine.ts';
import { RedfishError } from './redfish-error.ts';

/** ComputerSystem.Boot of a system: what it boots instead of its own order, and for how long. */
export interface BootOverride {
  readonly enabled: 'Disabled' | 'Once' | 'Continuous';
  readonly target: string;
  readonly mode: string;
  readonly httpBootUri: string;
}

/** What a system accepts. */
export interface BootSupport {
  readonly targets: readonly string[];
  readonly modes: readonly string[];
}

const enabledValues = ['Disabled', 'Once', 'Continuous'] as const;
const annotation = /@Redfish\.AllowableValues$/;

/** Of a system that exists only in memory. */
export const simulatedBoot: BootSupport = {
  targets: ['None', 'Pxe', 'Floppy', 'Cd', 'Usb', 'Hdd', 'BiosSetup', 'UefiHttp'],
  modes: ['Legacy', 'UEFI'],
};

/** Of a virtual machine, which has a BIOS. */
export const virtualMachineBoot: BootSupport = { targets: ['None', 'Pxe', 'Cd', 'Hdd'], modes: ['Legacy'] };

export function noOverride(support: BootSupport): BootOverride {
  return { enabled: 'Disabled', target: 'None', mode: support.modes.at(-1) ?? 'Legacy', httpBootUri: '' };
}

/**
 * Applies the `Boot` object of a PATCH to a system.
 * @throws RedfishError naming the property; nothing is applied then.
 */
export function patchBootOverride(current: BootOverride, patch: unknown, support: BootSupport): BootOverride {
  if (typeof patch !== 'object' || patch === null) {
    throw new RedfishError('PropertyValueTypeError', [JSON.stringify(patch), 'Boot']);
  }
  const changes = Object.entries(patch).map(([name, value]) => patchProperty(name, value, support));
  return Object.assign({}, current, ...changes) as BootOverride;
}

function patchProperty(name: string, value: unknown, support: BootSupport): Partial<BootOverride> {
  if (annotation.test(name)) throw new RedfishError('PropertyNotWritable', [name]);
  switch (name) {
    case 'BootSourceOverrideTarget':
      return { target: oneOf(support.targets, value, name) };
    case 'BootSourceOverrideEnabled':
      return { enabled: oneOf(enabledValues, value, name) };
    case 'BootSourceOverrideMode':
      return { mode: oneOf(support.modes, value, name) };
    case 'HttpBootUri':
      if (typeof value !== 'string') throw new RedfishError('PropertyValueTypeError', [JSON.stringify(value), name]);
      return { httpBootUri: value };
    default:
      throw new RedfishError('PropertyUnknown', [name]);
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, name: string): T {
  if (typeof value !== 'string') throw new RedfishError('PropertyValueTypeError', [JSON.stringify(value), name]);
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new RedfishError('PropertyValueNotInList', [value, name]);
  return found;
}

/** The `Boot` object of a system. */
export function renderBoot(override: BootOverride, support: BootSupport): Readonly<Record<string, unknown>> {
  return {
    BootSourceOverrideEnabled: override.enabled,
    'BootSourceOverrideEnabled@Redfish.AllowableValues': enabledValues,
    BootSourceOverrideTarget: override.target,
    'BootSourceOverrideTarget@Redfish.AllowableValues': support.targets,
    BootSourceOverrideMode: override.mode,
    'BootSourceOverrideMode@Redfish.AllowableValues': support.modes,
    ...(support.targets.includes('UefiHttp') ? { HttpBootUri: override.httpBootUri } : {}),
  };
}

const devices: Readonly<Record<string, BootDevice>> = { Pxe: 'network', Cd: 'cd', Hdd: 'disk' };
// Without an override a machine never boots from the network, so that a boot that does proves the override.
const ownOrder: readonly BootDevice[] = ['disk', 'cd'];

/** What the firmware of a machine tries, in this order. */
export function bootOrder(override: BootOverride): readonly BootDevice[] {
  const device = override.enabled === 'Disabled' ? undefined : devices[override.target];
  return device === undefined ? ownOrder : [device, ...ownOrder.filter((each) => each !== device)];
}

import type { BootDevice } from '../virtual-machine.ts';
import type { Machine } from './machine.ts';
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
  /** Whether the firmware can be told what to load by UEFI HTTP boot; else DHCP tells it. */
  readonly hasHttpBootUri: boolean;
  readonly hasSecureBoot: boolean;
}

const enabledValues = ['Disabled', 'Once', 'Continuous'] as const;
const annotation = /@Redfish\.AllowableValues$/;

/** What a machine accepts; `any` is the firmware of one that exists only in memory. */
export function bootSupportOf({ firmware, takesHttpBootUrl }: Machine): BootSupport {
  const hasHttpBootUri = takesHttpBootUrl;
  if (firmware === 'any') {
    const targets = ['None', 'Pxe', 'Floppy', 'Cd', 'Usb', 'Hdd', 'BiosSetup', 'UefiHttp'];
    return { targets, modes: ['Legacy', 'UEFI'], hasHttpBootUri, hasSecureBoot: true };
  }
  const targets = ['None', 'Pxe', 'Cd', 'Hdd', ...(firmware === 'uefi' ? ['UefiHttp'] : [])];
  return { targets, modes: [firmware === 'uefi' ? 'UEFI' : 'Legacy'], hasHttpBootUri, hasSecureBoot: false };
}

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
      if (!support.hasHttpBootUri) throw new RedfishError('PropertyUnknown', [name]);
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
    ...(support.hasHttpBootUri ? { HttpBootUri: override.httpBootUri } : {}),
  };
}

const devices: Readonly<Record<string, BootDevice>> = { Pxe: 'network', UefiHttp: 'http', Cd: 'cd', Hdd: 'disk' };
// Without an override a machine never boots from the network, so that a boot that does proves the override.
const ownOrder: readonly BootDevice[] = ['disk', 'cd'];

/** What the firmware of a machine tries, in this order. */
export function bootOrder(override: BootOverride): readonly BootDevice[] {
  const device = override.enabled === 'Disabled' ? undefined : devices[override.target];
  return device === undefined ? ownOrder : [device, ...ownOrder.filter((each) => each !== device)];
}

/** The URL that the firmware of a machine boots from, where it is told one. */
export function httpBootUrl({ enabled, target, httpBootUri }: BootOverride): string | null {
  return enabled !== 'Disabled' && target === 'UefiHttp' && httpBootUri !== '' ? httpBootUri : null;
}

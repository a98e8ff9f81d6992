import { statusOf } from './faults.ts';
import { linkAt, objectAt, textAt, textsAt, type JsonObject } from './json.ts';
import type { RedfishClient, RedfishResource } from './redfish-client.ts';

export const bootEnabledValues = ['Disabled', 'Once', 'Continuous'] as const;
export type BootEnabled = (typeof bootEnabledValues)[number];
export const redfishBootModes = ['UEFI', 'Legacy'] as const;
export type RedfishBootMode = (typeof redfishBootModes)[number];

/** What is to be changed; the rest stays. */
export interface BootChange {
  /** `Pxe`, `Hdd`, `Cd`, `UefiHttp`, …; `None` to override nothing. */
  readonly target?: string;
  readonly enabled?: BootEnabled;
  readonly mode?: RedfishBootMode;
  /** Where UEFI HTTP boot loads from. */
  readonly httpBootUri?: string;
}

export type BootProperty = keyof BootChange;

/** The Boot object of a system: DSP0268, ComputerSystem. Null: the BMC does not say. */
export interface BootSettings {
  readonly target: string | null;
  readonly enabled: BootEnabled | null;
  readonly mode: RedfishBootMode | null;
  readonly httpBootUri: string | null;
  /** Null: the BMC does not say what it allows. */
  readonly allowedTargets: readonly string[] | null;
  readonly allowedEnabled: readonly string[] | null;
  readonly allowedModes: readonly string[] | null;
  /** The properties that the BMC has, with a value or without. */
  readonly properties: readonly BootProperty[];
  readonly manufacturer: string | null;
}

export const wireNames: Readonly<Record<BootProperty, string>> = {
  target: 'BootSourceOverrideTarget',
  enabled: 'BootSourceOverrideEnabled',
  mode: 'BootSourceOverrideMode',
  httpBootUri: 'HttpBootUri',
};
export const bootProperties = Object.keys(wireNames) as readonly BootProperty[];

/** A system and, where it has one, the resource that takes its settings for the next start (`@Redfish.Settings`). */
export interface BootResources {
  readonly system: RedfishResource;
  readonly pending: RedfishResource | null;
}

export async function readBoot(client: RedfishClient, path: string, signal: AbortSignal): Promise<BootSettings> {
  return toSettings(await readBootResources(client, path, signal));
}

export async function readBootResources(
  client: RedfishClient,
  path: string,
  signal: AbortSignal,
): Promise<BootResources> {
  const system = await client.get(path, signal);
  const link = linkAt(objectAt(system.body, '@Redfish.Settings'), 'SettingsObject');
  if (link === undefined) return { system, pending: null };
  try {
    return { system, pending: await client.get(link, signal) };
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return { system, pending: null };
  }
}

function bootOf(resource: RedfishResource | null): JsonObject | undefined {
  return objectAt(resource?.body, 'Boot');
}

/** The resource where a property is set: the pending settings, as far as they have the property. */
export function home({ system, pending }: BootResources, property: BootProperty): RedfishResource {
  const isPending = pending !== null && bootOf(pending)?.[wireNames[property]] !== undefined;
  return isPending ? pending : system;
}

export function toSettings(resources: BootResources): BootSettings {
  const value = (property: BootProperty) => textAt(bootOf(home(resources, property)), wireNames[property]) ?? null;
  const allowed = (property: BootProperty) => {
    const key = `${wireNames[property]}@Redfish.AllowableValues`;
    return textsAt(bootOf(home(resources, property)), key) ?? textsAt(bootOf(resources.system), key) ?? null;
  };
  const modes = allowed('mode');
  // A machine that has one mode only boots in that, also when its BMC shows none.
  const mode = value('mode') ?? (modes?.length === 1 ? modes[0] : null);
  return {
    target: value('target'),
    enabled: bootEnabledValues.find((item) => item === value('enabled')) ?? null,
    mode: redfishBootModes.find((item) => item === mode) ?? null,
    httpBootUri: value('httpBootUri'),
    allowedTargets: allowed('target'),
    allowedEnabled: allowed('enabled'),
    allowedModes: modes,
    properties: bootProperties.filter((one) => bootOf(home(resources, one))?.[wireNames[one]] !== undefined),
    manufacturer: textAt(resources.system.body, 'Manufacturer') ?? null,
  };
}

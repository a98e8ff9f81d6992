import { IronbarkError, isIronbarkError } from '@ironbark/core';
import { poll } from '@ironbark/http';
import { linkAt, objectAt, textAt, textsAt, type JsonObject } from './json.ts';
import type { RedfishClient, RedfishResource } from './redfish-client.ts';
import { statusOf } from './faults.ts';

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

const wireNames: Readonly<Record<BootProperty, string>> = {
  target: 'BootSourceOverrideTarget',
  enabled: 'BootSourceOverrideEnabled',
  mode: 'BootSourceOverrideMode',
  httpBootUri: 'HttpBootUri',
};
const properties = Object.keys(wireNames) as readonly BootProperty[];

/** A system and, where it has one, the resource that takes its settings for the next start (`@Redfish.Settings`). */
interface BootResources {
  readonly system: RedfishResource;
  readonly pending: RedfishResource | null;
}

export async function readBoot(client: RedfishClient, path: string, signal: AbortSignal): Promise<BootSettings> {
  return toSettings(await readResources(client, path, signal));
}

/**
 * Changes boot settings, and reads them back until the BMC shows them or `settleTimeoutMs` has passed. Does nothing when they are
 * as wanted already.
 * @throws BMC_UNSUPPORTED when the BMC does not offer a value, BMC_FAILURE when it accepted the change and did not make it.
 */
export async function changeBoot(
  client: RedfishClient,
  path: string,
  change: BootChange,
  signal: AbortSignal,
): Promise<void> {
  const resources = await readResources(client, path, signal);
  let settings = toSettings(resources);
  checkAllowed(client, path, settings, change);
  if (differences(settings, change).length === 0) return;
  const written = await write(client, resources, withQuirks(settings, change), signal);
  const look = async () => {
    settings = await readBoot(client, path, signal);
    return differences(settings, written).length === 0 ? settings : undefined;
  };
  const { settleTimeoutMs: timeoutMs, pollIntervalMs: intervalMs } = client.patience;
  const where = `BMC ${client.address}: boot settings of ${path}`;
  if ((await poll(look, { timeoutMs, intervalMs, signal, where })) === undefined) {
    throw notTaken(client, path, settings, written);
  }
}

async function readResources(client: RedfishClient, path: string, signal: AbortSignal): Promise<BootResources> {
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
function home({ system, pending }: BootResources, property: BootProperty): RedfishResource {
  const isPending = pending !== null && bootOf(pending)?.[wireNames[property]] !== undefined;
  return isPending ? pending : system;
}

function toSettings(resources: BootResources): BootSettings {
  const value = (property: BootProperty) => textAt(bootOf(home(resources, property)), wireNames[property]) ?? null;
  const allowed = (property: BootProperty) => {
    const key = `${wireNames[property]}@Redfish.AllowableValues`;
    return textsAt(bootOf(home(resources, property)), key) ?? textsAt(bootOf(resources.system), key) ?? null;
  };
  return {
    target: value('target'),
    enabled: bootEnabledValues.find((item) => item === value('enabled')) ?? null,
    mode: redfishBootModes.find((item) => item === value('mode')) ?? null,
    httpBootUri: value('httpBootUri'),
    allowedTargets: allowed('target'),
    allowedEnabled: allowed('enabled'),
    allowedModes: allowed('mode'),
    properties: properties.filter((one) => bootOf(home(resources, one))?.[wireNames[one]] !== undefined),
    manufacturer: textAt(resources.system.body, 'Manufacturer') ?? null,
  };
}

function differences(settings: BootSettings, change: BootChange): readonly BootProperty[] {
  return properties.filter((property) => change[property] !== undefined && settings[property] !== change[property]);
}

function checkAllowed(client: RedfishClient, path: string, settings: BootSettings, change: BootChange): void {
  const allowedValues = {
    target: settings.allowedTargets,
    enabled: settings.allowedEnabled,
    mode: settings.allowedModes,
  };
  for (const property of ['target', 'enabled', 'mode'] as const) {
    const wanted = change[property];
    const allowed = allowedValues[property];
    if (wanted === undefined || allowed === null || allowed.includes(wanted)) continue;
    if (wanted === 'Continuous') throw continuousUnsupported(client, path, settings);
    throw unsupported(
      client,
      path,
      `${wireNames[property]} ${wanted}`,
      `It offers: ${allowed.join(', ') || 'nothing'}.`,
    );
  }
  if (change.httpBootUri === undefined || settings.properties.includes('httpBootUri')) return;
  if (settings.allowedTargets?.includes('UefiHttp') === true) return;
  throw unsupported(client, path, 'an address for UEFI HTTP boot', 'Let DHCP give the address, or boot by PXE.');
}

/** Supermicro's firmware goes back to legacy boot when the boot mode does not stand beside the boot source. */
function withQuirks({ manufacturer, mode }: BootSettings, change: BootChange): BootChange {
  const isSupermicro = manufacturer?.toLowerCase() === 'supermicro';
  return isSupermicro && mode !== null ? { mode, ...change } : change;
}

/** @returns the change that the BMC accepted: with the boot mode beside it, where the BMC asked for it. */
async function write(
  client: RedfishClient,
  resources: BootResources,
  change: BootChange,
  signal: AbortSignal,
): Promise<BootChange> {
  const { mode } = toSettings(resources);
  try {
    await patch(client, resources, change, signal);
    return change;
  } catch (error) {
    if (change.mode !== undefined || mode === null || !isRefusalOf(error, [wireNames.mode])) throw error;
  }
  const complete = { ...change, mode };
  await patch(client, resources, complete, signal);
  return complete;
}

async function patch(
  client: RedfishClient,
  resources: BootResources,
  change: BootChange,
  signal: AbortSignal,
): Promise<void> {
  const wanted = properties.filter((property) => change[property] !== undefined);
  for (const resource of new Set(wanted.map((property) => home(resources, property)))) {
    const own = wanted.filter((property) => home(resources, property) === resource);
    const body = { Boot: Object.fromEntries(own.map((property) => [wireNames[property], change[property]])) };
    try {
      // The task of settings for the next start is not done before that start.
      await client.patch(resource, body, signal, { awaitsTask: resource !== resources.pending });
    } catch (error) {
      const isAboutPersistence =
        change.enabled === 'Continuous' && isRefusalOf(error, ['Continuous', wireNames.enabled]);
      throw isAboutPersistence ? continuousUnsupported(client, resources.system.path, toSettings(resources)) : error;
    }
  }
}

function isRefusalOf(error: unknown, words: readonly string[]): boolean {
  return statusOf(error) === 400 && isIronbarkError(error) && words.some((word) => error.message.includes(word));
}

function notTaken(client: RedfishClient, path: string, settings: BootSettings, change: BootChange): IronbarkError {
  if (change.enabled === 'Continuous' && settings.enabled === 'Once') {
    return continuousUnsupported(client, path, settings);
  }
  const facts = differences(settings, change).map((property) => {
    // A boot address may hold a token.
    if (property === 'httpBootUri') return `${wireNames[property]} as before`;
    return `${wireNames[property]} ${settings[property] ?? 'null'} instead of ${change[property] ?? ''}`;
  });
  const seconds = client.patience.settleTimeoutMs / 1000;
  const message = `BMC ${client.address} accepted new boot settings for ${path}, but after ${seconds} s it still shows ${facts.join(', ')}.`;
  return new IronbarkError('BMC_FAILURE', message, {
    hint: 'Some BMCs take boot settings only while the machine is off, or when it starts the next time.',
    retryable: true,
    details: { address: client.address, path },
  });
}

function continuousUnsupported(client: RedfishClient, path: string, settings: BootSettings): IronbarkError {
  const hint = `Set the device for the next boot only (not persistent), or put it first in the boot order of the firmware. The override is now: ${settings.enabled ?? 'unknown'}.`;
  return unsupported(client, path, 'a boot device that stays (BootSourceOverrideEnabled Continuous)', hint);
}

function unsupported(client: RedfishClient, path: string, what: string, hint: string): IronbarkError {
  return new IronbarkError('BMC_UNSUPPORTED', `BMC ${client.address} does not support ${what} for ${path}.`, {
    hint,
    details: { address: client.address, path },
  });
}

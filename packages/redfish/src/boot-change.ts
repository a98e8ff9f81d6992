import { IronbarkError, isIronbarkError } from '@ironbark/core';
import { poll } from '@ironbark/http';
import {
  bootProperties,
  home,
  readBoot,
  readBootResources,
  toSettings,
  wireNames,
  type BootChange,
  type BootProperty,
  type BootResources,
  type BootSettings,
} from './boot-settings.ts';
import { messageIdsOf, statusOf, unsupportedFault } from './faults.ts';
import type { PatchResult, RedfishClient } from './redfish-client.ts';

/**
 * Changes boot settings, and reads them back until the BMC shows them or `settleTimeoutMs` has passed; not those of which it says that
 * they count from the next start on. Does nothing when they are as wanted already. The boot mode stays what it is unless it is changed.
 * @throws BMC_UNSUPPORTED when the BMC does not offer a value, BMC_FAILURE when it accepted the change and did not make it.
 */
export async function changeBoot(
  client: RedfishClient,
  path: string,
  change: BootChange,
  signal: AbortSignal,
): Promise<void> {
  const resources = await readBootResources(client, path, signal);
  const before = toSettings(resources);
  if (differences(before, change).length === 0) return;
  checkAllowed(client, path, before, change);
  const after = await writeAndSettle(client, resources, withQuirks(before, change), signal);
  if (change.mode !== undefined || before.mode === null || after.mode === before.mode) return;
  // Some firmware goes back to its default mode with every new boot source.
  const renewed = await readBootResources(client, path, signal);
  await writeAndSettle(client, renewed, { ...change, mode: before.mode }, signal);
}

function differences(settings: BootSettings, change: BootChange): readonly BootProperty[] {
  return bootProperties.filter((property) => change[property] !== undefined && settings[property] !== change[property]);
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
    const hint = `It offers: ${allowed.join(', ') || 'nothing'}.`;
    throw unsupportedFault(client, path, `${wireNames[property]} ${wanted}`, hint);
  }
  if (change.httpBootUri === undefined || settings.properties.includes('httpBootUri')) return;
  if (settings.allowedTargets?.includes('UefiHttp') === true) return;
  throw httpBootUriUnsupported(client, path);
}

/** Supermicro's firmware goes back to legacy boot when the boot mode does not stand beside the boot source. */
function withQuirks({ manufacturer, mode }: BootSettings, change: BootChange): BootChange {
  const isSupermicro = manufacturer?.toLowerCase() === 'supermicro';
  return isSupermicro && mode !== null ? { mode, ...change } : change;
}

/** @returns the settings as the BMC shows them then. */
async function writeAndSettle(
  client: RedfishClient,
  resources: BootResources,
  change: BootChange,
  signal: AbortSignal,
): Promise<BootSettings> {
  const { path } = resources.system;
  const { written, result } = await write(client, resources, change, signal);
  let settings = await readBoot(client, path, signal);
  if (result === 'delayed') {
    client.log.info({ bmc: client.address, path }, 'The BMC makes a change of boot settings at the next start.');
    return settings;
  }
  const look = async () => {
    if (differences(settings, written).length === 0) return settings;
    settings = await readBoot(client, path, signal);
    return differences(settings, written).length === 0 ? settings : undefined;
  };
  const { settleTimeoutMs: timeoutMs, pollIntervalMs: intervalMs } = client.patience;
  const where = `BMC ${client.address}: boot settings of ${path}`;
  const settled = await poll(look, { timeoutMs, intervalMs, signal, where });
  if (settled !== undefined) return settled;
  const lacksUri = written.httpBootUri !== undefined && !settings.properties.includes('httpBootUri');
  throw lacksUri ? httpBootUriUnsupported(client, path) : notTaken(client, path, settings, written);
}

interface Written {
  /** The change that the BMC accepted: with what it wanted beside it. */
  readonly written: BootChange;
  readonly result: PatchResult;
}

async function write(
  client: RedfishClient,
  resources: BootResources,
  change: BootChange,
  signal: AbortSignal,
): Promise<Written> {
  try {
    return { written: change, result: await patch(client, resources, change, signal) };
  } catch (error) {
    const complete = completed(toSettings(resources), change, error);
    if (complete === undefined) throw error;
    return { written: complete, result: await patch(client, resources, complete, signal) };
  }
}

/** The change with the properties beside it that a BMC asked for when it refused it; undefined when it is refused for good. */
function completed(settings: BootSettings, change: BootChange, error: unknown): BootChange | undefined {
  const { mode, target, enabled } = settings;
  if (change.mode === undefined && mode !== null && isRefusalOf(error, [wireNames.mode])) return { ...change, mode };
  if (change.target !== undefined || statusOf(error) !== 400) return undefined;
  const asksForTarget = isRefusalOf(error, [wireNames.target, wireNames.enabled]);
  if (change.httpBootUri !== undefined) {
    return asksForTarget ? { ...change, target: 'UefiHttp', enabled: 'Once' } : undefined;
  }
  // Refused for another reason than that it may never be written.
  if (messageIdsOf(error).includes('PropertyNotWritable')) return undefined;
  return { target: target ?? 'None', enabled: enabled ?? 'Disabled', ...change };
}

async function patch(
  client: RedfishClient,
  resources: BootResources,
  change: BootChange,
  signal: AbortSignal,
): Promise<PatchResult> {
  const wanted = bootProperties.filter((property) => change[property] !== undefined);
  let result: PatchResult = 'made';
  for (const resource of new Set(wanted.map((property) => home(resources, property)))) {
    const own = wanted.filter((property) => home(resources, property) === resource);
    const body = { Boot: Object.fromEntries(own.map((property) => [wireNames[property], change[property]])) };
    try {
      // The task of settings for the next start is not done before that start.
      const one = await client.patch(resource, body, signal, { awaitsTask: resource !== resources.pending });
      if (one === 'delayed') result = one;
    } catch (error) {
      const isAboutPersistence =
        change.enabled === 'Continuous' && isRefusalOf(error, ['Continuous', wireNames.enabled]);
      if (isAboutPersistence) throw continuousUnsupported(client, resources.system.path, toSettings(resources));
      if (isUnknownHttpBootUri(error)) throw httpBootUriUnsupported(client, resources.system.path, error);
      throw error;
    }
  }
  return result;
}

function isRefusalOf(error: unknown, words: readonly string[]): boolean {
  return statusOf(error) === 400 && isIronbarkError(error) && words.some((word) => error.message.includes(word));
}

function isUnknownHttpBootUri(error: unknown): boolean {
  return messageIdsOf(error).includes('PropertyUnknown') && isRefusalOf(error, [wireNames.httpBootUri]);
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
  return unsupportedFault(client, path, 'a boot device that stays (BootSourceOverrideEnabled Continuous)', hint);
}

function httpBootUriUnsupported(client: RedfishClient, path: string, cause?: unknown): IronbarkError {
  const hint = 'Let DHCP give the address, or boot by PXE.';
  return unsupportedFault(client, path, 'an address for UEFI HTTP boot (HttpBootUri)', hint, cause);
}

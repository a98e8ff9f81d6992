import { IronbarkError, isIronbarkError } from '@ironbark/core';
import { changeBoot } from './boot-change.ts';
import { readBoot, type BootSettings, type RedfishBootMode } from './boot-settings.ts';
import { messageIdsOf, statusOf, unsupportedFault } from './faults.ts';
import { linkAt, objectAt, textAt } from './json.ts';
import type { RedfishClient } from './redfish-client.ts';

/** The BIOS attribute that holds the boot mode; its name and values are the vendor's. */
interface BiosMode {
  readonly attribute: string;
  readonly value: string;
  readonly mode: RedfishBootMode | null;
}

/** `BootMode` of Dell and HPE, `BootModeSelect` of Supermicro, `SystemBootMode` of Lenovo. */
const attributeName = /^(?:.*_)?(?:System)?BootMode(?:Select)?$/i;

/**
 * The mode that a system boots in: that of the boot override, else, where the BMC shows none there, that of the BIOS settings. Null: the
 * BMC does not say.
 */
export async function readBootMode(
  client: RedfishClient,
  path: string,
  signal: AbortSignal,
): Promise<RedfishBootMode | null> {
  const { mode } = await readBoot(client, path, signal);
  return mode ?? (await readBiosMode(client, path, signal))?.mode ?? null;
}

/**
 * Sets the boot mode by way of the boot override. Does nothing when it is as wanted already, so that a machine of one mode only is
 * content with that.
 * @throws BMC_UNSUPPORTED saying where it has to be changed when the BMC does not offer the mode or does not let it be changed;
 *   BMC_FAILURE when it accepted the change and did not make it.
 */
export async function changeBootMode(
  client: RedfishClient,
  path: string,
  mode: RedfishBootMode,
  signal: AbortSignal,
): Promise<void> {
  const settings = await readBoot(client, path, signal);
  const bios = settings.mode === null ? await readBiosMode(client, path, signal) : null;
  const current = settings.mode ?? bios?.mode ?? null;
  if (current === mode) return;
  const { allowedModes, properties } = settings;
  const isOffered = allowedModes === null ? properties.includes('mode') : allowedModes.includes(mode);
  if (!isOffered) {
    throw await fixedMode(client, path, { wanted: mode, current, settings }, signal);
  }
  try {
    await changeBoot(client, path, { mode }, signal);
  } catch (error) {
    const isRefused = statusOf(error) === 400 || messageIdsOf(error).includes('PropertyNotWritable');
    if (!isRefused) throw error;
    throw await fixedMode(client, path, { wanted: mode, current, settings, cause: error }, signal);
  }
}

async function readBiosMode(client: RedfishClient, path: string, signal: AbortSignal): Promise<BiosMode | null> {
  const { body } = await client.get(path, signal);
  const link = linkAt(body, 'Bios');
  if (link === undefined) return null;
  try {
    const attributes = objectAt((await client.get(link, signal)).body, 'Attributes');
    const attribute = Object.keys(attributes ?? {}).find((name) => attributeName.test(name));
    const value = attribute === undefined ? undefined : textAt(attributes, attribute);
    return attribute === undefined || value === undefined ? null : { attribute, value, mode: modeOf(value) };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Null for a machine that tries both (`Dual`). */
function modeOf(value: string): RedfishBootMode | null {
  if (/uefi/i.test(value)) return 'UEFI';
  return /legacy|^bios$/i.test(value) ? 'Legacy' : null;
}

interface FixedMode {
  readonly wanted: RedfishBootMode;
  readonly current: RedfishBootMode | null;
  readonly settings: BootSettings;
  readonly cause?: unknown;
}

async function fixedMode(
  client: RedfishClient,
  path: string,
  facts: FixedMode,
  signal: AbortSignal,
): Promise<IronbarkError> {
  const { wanted, current, settings, cause } = facts;
  const [only, ...others] = settings.allowedModes ?? [];
  const isOnly = only !== undefined && others.length === 0;
  const state = current === null ? 'does not tell its boot mode' : `boots in ${current} mode${isOnly ? ' only' : ''}`;
  const bios = await readBiosMode(client, path, signal).catch(() => null);
  const attribute = bios === null ? '' : ` (attribute ${bios.attribute}, now ${bios.value})`;
  const capability = current === null ? '' : `, or ask for boot_mode ${current === 'UEFI' ? 'uefi' : 'bios'}`;
  const hint = `Change the boot mode in the BIOS settings of the machine${attribute}${capability} in the capabilities of the node and its instance.`;
  const what = `boot mode ${wanted} (the machine ${state})`;
  const fault = unsupportedFault(client, path, what, hint, cause);
  if (!isIronbarkError(cause)) return fault;
  const { code, message, details = {} } = fault;
  return new IronbarkError(code, `${message} ${cause.message}`, { hint, details, cause });
}

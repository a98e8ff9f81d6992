import { IronbarkError } from '@ironbark/core';
import { poll } from '@ironbark/http';
import { statusOf, unsupportedFault } from './faults.ts';
import { booleanAt, linkAt, objectAt } from './json.ts';
import type { RedfishClient, RedfishResource } from './redfish-client.ts';

const property = 'SecureBootEnable';

/**
 * Whether UEFI Secure Boot is enforced from the next start on: SecureBootEnable of the SecureBoot resource (DSP0268). Null: the system
 * has no such resource, or the resource does not say.
 */
export async function readSecureBoot(
  client: RedfishClient,
  path: string,
  signal: AbortSignal,
): Promise<boolean | null> {
  return (await readHome(client, path, signal))?.isEnabled ?? null;
}

/**
 * Turns Secure Boot on or off from the next start on, and reads it back until the BMC shows it or `settleTimeoutMs` has passed; not when
 * it says that it shows it after a start. Does nothing when it is as wanted already.
 * @throws BMC_UNSUPPORTED when the system has no Secure Boot, BMC_FAILURE when the BMC accepted the change and did not make it.
 */
export async function changeSecureBoot(
  client: RedfishClient,
  path: string,
  enabled: boolean,
  signal: AbortSignal,
): Promise<void> {
  const home = await readHome(client, path, signal);
  if (home === undefined) {
    throw unsupportedFault(
      client,
      path,
      'Secure Boot',
      'Set it in the firmware of the machine, or remove secure_boot from the capabilities of the node and its instance.',
    );
  }
  if (home.isEnabled === enabled) return;
  // The task of settings for the next start is not done before that start.
  const options = { awaitsTask: !home.isPending };
  const result = await client.patch(home.resource, { [property]: enabled }, signal, options);
  if (result === 'delayed') {
    client.log.info({ bmc: client.address, path, enabled }, 'The BMC turns Secure Boot on or off at the next start.');
    return;
  }
  const look = async () => ((await readSecureBoot(client, path, signal)) === enabled ? enabled : undefined);
  const { settleTimeoutMs: timeoutMs, pollIntervalMs: intervalMs } = client.patience;
  const where = `BMC ${client.address}: Secure Boot of ${path}`;
  if ((await poll(look, { timeoutMs, intervalMs, signal, where })) === undefined) {
    throw notTaken(client, path, enabled);
  }
}

/** The resource where Secure Boot is set. */
interface Home {
  readonly resource: RedfishResource;
  readonly isEnabled: boolean;
  /** Whether it is the one that takes settings for the next start (`@Redfish.Settings`). */
  readonly isPending: boolean;
}

async function readHome(client: RedfishClient, path: string, signal: AbortSignal): Promise<Home | undefined> {
  const system = await client.get(path, signal);
  const resource = await follow(client, linkAt(system.body, 'SecureBoot'), signal);
  const link = linkAt(objectAt(resource?.body, '@Redfish.Settings'), 'SettingsObject');
  return homeIn(await follow(client, link, signal), true) ?? homeIn(resource, false);
}

function homeIn(resource: RedfishResource | undefined, isPending: boolean): Home | undefined {
  const isEnabled = booleanAt(resource?.body, property);
  return resource === undefined || isEnabled === undefined ? undefined : { resource, isEnabled, isPending };
}

/** Undefined: there is no link, or it leads nowhere. */
async function follow(
  client: RedfishClient,
  link: string | undefined,
  signal: AbortSignal,
): Promise<RedfishResource | undefined> {
  if (link === undefined) return undefined;
  try {
    return await client.get(link, signal);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return undefined;
  }
}

function notTaken(client: RedfishClient, path: string, enabled: boolean): IronbarkError {
  const seconds = client.patience.settleTimeoutMs / 1000;
  const state = enabled ? 'on' : 'off';
  const message = `BMC ${client.address} accepted to turn Secure Boot ${state} for ${path}, but after ${seconds} s it does not show it.`;
  return new IronbarkError('BMC_FAILURE', message, {
    hint: 'Look into the firmware settings: Secure Boot needs UEFI boot mode and enrolled keys, and some machines have to be off.',
    retryable: true,
    details: { address: client.address, path },
  });
}

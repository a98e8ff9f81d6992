import { IronbarkError } from '@ironbark/core';
import { changeBoot } from './boot-change.ts';
import { changeBootMode, readBootMode } from './boot-mode.ts';
import { readBoot, type BootChange, type BootSettings, type RedfishBootMode } from './boot-settings.ts';
import { linkAt, linksAt, objectAt, objectsAt, textAt, textsAt, type JsonObject } from './json.ts';
import type { RedfishClient, RedfishResource } from './redfish-client.ts';
import { changeSecureBoot, readSecureBoot } from './secure-boot.ts';
import { VirtualMediaSlot } from './virtual-media.ts';

/** PowerState of a resource: DSP0268, ComputerSystem. Null: the service does not say, or says something else. */
export const powerStates = ['On', 'Off', 'PoweringOn', 'PoweringOff', 'Paused'] as const;
export type RedfishPowerState = (typeof powerStates)[number];

/** What the action ComputerSystem.Reset can do: DSP0268, Resource, ResetType. */
export type ResetType =
  | 'On'
  | 'ForceOn'
  | 'ForceOff'
  | 'GracefulShutdown'
  | 'GracefulRestart'
  | 'ForceRestart'
  | 'PushPowerButton'
  | 'PowerCycle'
  | 'Nmi';

export interface SystemSummary {
  readonly path: string;
  readonly uuid: string | undefined;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly powerState: RedfishPowerState | null;
}

export interface ManagerInfo {
  readonly path: string;
  readonly model: string | undefined;
  readonly firmwareVersion: string | undefined;
}

/** One machine that a BMC manages. Errors as {@link RedfishClient} lists them. */
export class ComputerSystem {
  readonly client: RedfishClient;
  readonly path: string;

  constructor(client: RedfishClient, path: string) {
    this.client = client;
    this.path = path;
  }

  async summary(signal: AbortSignal): Promise<SystemSummary> {
    const { body } = await this.client.get(this.path, signal);
    return {
      path: this.path,
      uuid: textAt(body, 'UUID'),
      manufacturer: textAt(body, 'Manufacturer'),
      model: textAt(body, 'Model'),
      powerState: powerStateOf(body),
    };
  }

  async powerState(signal: AbortSignal): Promise<RedfishPowerState | null> {
    return powerStateOf((await this.client.get(this.path, signal)).body);
  }

  /** The reset types that the BMC allows; null when it does not say. */
  async resetTypes(signal: AbortSignal): Promise<readonly string[] | null> {
    return this.#resetTypes(await this.#resetAction(signal), signal);
  }

  /**
   * Resets the system in the first of these ways that the BMC allows. Returns when the BMC has accepted it, not when it is done.
   * @returns the way that was taken.
   * @throws BMC_UNSUPPORTED when it allows none, naming those that it allows.
   */
  async reset(preferred: readonly ResetType[], signal: AbortSignal): Promise<ResetType> {
    const action = await this.#resetAction(signal);
    const allowed = await this.#resetTypes(action, signal);
    const chosen = preferred.find((type) => allowed?.includes(type) ?? true);
    const target = textAt(action, 'target');
    if (chosen === undefined || target === undefined) {
      const problem = target === undefined ? 'no reset' : `none of the reset types ${preferred.join(', ')}`;
      throw new IronbarkError('BMC_UNSUPPORTED', `BMC ${this.client.address}: ${this.path} offers ${problem}.`, {
        hint: `It offers: ${allowed?.join(', ') ?? 'nothing'}.`,
        details: { address: this.client.address, path: this.path },
      });
    }
    await this.client.post(target, { ResetType: chosen }, signal);
    return chosen;
  }

  async boot(signal: AbortSignal): Promise<BootSettings> {
    return readBoot(this.client, this.path, signal);
  }

  /** Changes boot settings and returns when the BMC shows them. @throws as {@link changeBoot}. */
  async changeBoot(change: BootChange, signal: AbortSignal): Promise<void> {
    await changeBoot(this.client, this.path, change, signal);
  }

  /** As {@link readBootMode}. */
  async bootMode(signal: AbortSignal): Promise<RedfishBootMode | null> {
    return readBootMode(this.client, this.path, signal);
  }

  /** @throws as {@link changeBootMode}. */
  async changeBootMode(mode: RedfishBootMode, signal: AbortSignal): Promise<void> {
    await changeBootMode(this.client, this.path, mode, signal);
  }

  /** As {@link readSecureBoot}. */
  async secureBoot(signal: AbortSignal): Promise<boolean | null> {
    return readSecureBoot(this.client, this.path, signal);
  }

  /** @throws as {@link changeSecureBoot}. */
  async changeSecureBoot(enabled: boolean, signal: AbortSignal): Promise<void> {
    await changeSecureBoot(this.client, this.path, enabled, signal);
  }

  /** The virtual media slots, those of the system first, then those of its managers. */
  async virtualMedia(signal: AbortSignal): Promise<readonly VirtualMediaSlot[]> {
    const system = await this.client.get(this.path, signal);
    const managers = await Promise.all(
      (await this.#managerPaths(system, signal)).map((path) => this.client.get(path, signal)),
    );
    const collections = [system, ...managers].flatMap(({ body }) => linkAt(body, 'VirtualMedia') ?? []);
    const members = await Promise.all([...new Set(collections)].map((path) => listMembers(this.client, path, signal)));
    return [...new Set(members.flat())].map((path) => new VirtualMediaSlot(this.client, path));
  }

  /** The manager of this system: the BMC itself. Null when the service names none. */
  async manager(signal: AbortSignal): Promise<ManagerInfo | null> {
    const [path] = await this.#managerPaths(await this.client.get(this.path, signal), signal);
    if (path === undefined) return null;
    const { body } = await this.client.get(path, signal);
    return { path, model: textAt(body, 'Model'), firmwareVersion: textAt(body, 'FirmwareVersion') };
  }

  async #managerPaths({ body }: RedfishResource, signal: AbortSignal): Promise<readonly string[]> {
    const managedBy = linksAt(objectAt(body, 'Links'), 'ManagedBy');
    if (managedBy.length > 0) return managedBy;
    const collection = linkAt((await this.client.root(signal)).body, 'Managers');
    return collection === undefined ? [] : listMembers(this.client, collection, signal);
  }

  async #resetAction(signal: AbortSignal): Promise<JsonObject | undefined> {
    const { body } = await this.client.get(this.path, signal);
    return objectAt(objectAt(body, 'Actions'), '#ComputerSystem.Reset');
  }

  /** The allowable values stand beside the action, or in an ActionInfo resource of its own. */
  async #resetTypes(action: JsonObject | undefined, signal: AbortSignal): Promise<readonly string[] | null> {
    const inline = textsAt(action, 'ResetType@Redfish.AllowableValues');
    if (inline !== undefined) return inline;
    const infoPath = textAt(action, '@Redfish.ActionInfo');
    if (infoPath === undefined) return null;
    const { body } = await this.client.get(infoPath, signal);
    const parameter = objectsAt(body, 'Parameters').find((item) => item['Name'] === 'ResetType');
    return textsAt(parameter, 'AllowableValues') ?? null;
  }
}

function powerStateOf(body: JsonObject): RedfishPowerState | null {
  return powerStates.find((state) => state === body['PowerState']) ?? null;
}

const maxPages = 100;

/** Paths of the members of a collection, over all of its pages. */
export async function listMembers(
  client: RedfishClient,
  path: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const members: string[] = [];
  let page: string | undefined = path;
  for (let pages = 0; page !== undefined && pages < maxPages; pages += 1) {
    const { body }: RedfishResource = await client.get(page, signal);
    members.push(...linksAt(body, 'Members'));
    page = textAt(body, 'Members@odata.nextLink');
  }
  return members;
}

import { IronbarkError, isIronbarkError } from '@ironbark/core';
import { poll } from '@ironbark/http';
import { messageIdsOf } from './faults.ts';
import { booleanAt, objectAt, textAt, textsAt, type JsonObject } from './json.ts';
import type { RedfishClient, RedfishResource } from './redfish-client.ts';

/** MediaTypes of a slot: DSP0268, VirtualMedia. */
export type MediaType = 'CD' | 'DVD' | 'Floppy' | 'USBStick';

export interface VirtualMediaStatus {
  readonly path: string;
  readonly id: string | undefined;
  readonly mediaTypes: readonly string[];
  readonly inserted: boolean;
  /** URL of the image, as the BMC shows it. It may hold a token: not for logs. */
  readonly image: string | null;
  readonly connectedVia: string | null;
  readonly writeProtected: boolean | null;
}

export interface MediaImage {
  /** Where the BMC reads the image from. */
  readonly url: string;
  /** Default: true. */
  readonly writeProtected?: boolean;
}

const maxInsertions = 2;

/** A drive for images from the network. Errors as the client lists them. */
export class VirtualMediaSlot {
  readonly #client: RedfishClient;
  readonly path: string;

  constructor(client: RedfishClient, path: string) {
    this.#client = client;
    this.path = path;
  }

  async status(signal: AbortSignal): Promise<VirtualMediaStatus> {
    return toStatus(await this.#client.get(this.path, signal));
  }

  /**
   * Inserts an image, after it has ejected what the slot holds or claims to hold, and returns when the BMC shows it as inserted.
   * When it does not, the image is ejected and inserted once more: BMCs accept images while they still eject the one before.
   * @throws BMC_FAILURE when the BMC accepted the image and does not show it.
   */
  async insert(image: MediaImage, signal: AbortSignal): Promise<void> {
    const isShown = (status: VirtualMediaStatus) => isInserted(status, image.url);
    let failure = this.#failure(
      'accepted an image, but does not show it as inserted',
      'Check that the BMC reaches the image.',
    );
    for (let insertion = 1; insertion <= maxInsertions; insertion += 1) {
      await this.eject(signal);
      try {
        await this.#insert(image, signal);
        if (await this.#shows(isShown, signal)) return;
      } catch (error) {
        if (!isIronbarkError(error) || !(error.retryable || error.code === 'BMC_FAILURE') || signal.aborted)
          throw error;
        if (isShown(await this.status(signal))) return;
        failure = error;
      }
    }
    throw failure;
  }

  /** Returns when nothing is in the slot; does nothing when it is empty. */
  async eject(signal: AbortSignal): Promise<void> {
    const resource = await this.#client.get(this.path, signal);
    const status = toStatus(resource);
    if (!status.inserted && status.image === null) return;
    try {
      await this.#eject(resource, signal);
    } catch (error) {
      // The answer may be lost, and a note of what was there once cannot be ejected everywhere.
      if (signal.aborted || !isEjected(await this.status(signal))) throw error;
    }
    if (await this.#shows(isEjected, signal)) return;
    throw this.#failure(
      'accepted to eject, but still shows an image',
      'The running system may hold the drive; power it off.',
    );
  }

  async #eject(resource: RedfishResource, signal: AbortSignal): Promise<void> {
    const action = actionTarget(resource.body, '#VirtualMedia.EjectMedia');
    if (action !== undefined) return this.#client.post(action, {}, signal);
    await this.#client.patch(resource, { Image: null, Inserted: false }, signal);
  }

  async #insert({ url, writeProtected = true }: MediaImage, signal: AbortSignal): Promise<void> {
    const resource = await this.#client.get(this.path, signal);
    const body = { Image: url, Inserted: true, WriteProtected: writeProtected };
    const action = actionTarget(resource.body, '#VirtualMedia.InsertMedia');
    if (action === undefined) {
      await this.#client.patch(resource, body, signal);
      return;
    }
    try {
      await this.#client.post(action, body, signal);
    } catch (error) {
      const ids = messageIdsOf(error);
      const transfer = {
        TransferProtocolType: new URL(url).protocol.slice(0, -1).toUpperCase(),
        TransferMethod: 'Stream',
      };
      if (ids.includes('ActionParameterMissing')) return this.#client.post(action, { ...body, ...transfer }, signal);
      if (!ids.some((id) => optionalParameterIds.has(id))) throw error;
      await this.#client.post(action, { Image: url }, signal);
    }
  }

  async #shows(test: (status: VirtualMediaStatus) => boolean, signal: AbortSignal): Promise<boolean> {
    const look = async () => (test(await this.status(signal)) ? true : undefined);
    const { settleTimeoutMs: timeoutMs, pollIntervalMs: intervalMs } = this.#client.patience;
    const where = `BMC ${this.#client.address}: virtual media ${this.path}`;
    return (await poll(look, { timeoutMs, intervalMs, signal, where })) ?? false;
  }

  #failure(problem: string, hint: string): IronbarkError {
    return new IronbarkError('BMC_FAILURE', `BMC ${this.#client.address}: ${this.path} ${problem}.`, {
      hint,
      retryable: true,
      details: { address: this.#client.address, path: this.path },
    });
  }
}

/** The first slot that takes one of the media types, the types in order of preference. */
export async function chooseSlot(
  slots: readonly VirtualMediaSlot[],
  types: readonly MediaType[],
  signal: AbortSignal,
): Promise<VirtualMediaSlot | undefined> {
  const known = await Promise.all(slots.map(async (slot) => ({ slot, status: await slot.status(signal) })));
  const fitting = types.map((type) => known.find(({ status }) => status.mediaTypes.includes(type)));
  return fitting.find((found) => found !== undefined)?.slot;
}

/** Ids of messages about the optional parameters of InsertMedia. */
const optionalParameterIds = new Set([
  'ActionParameterNotSupported',
  'ActionParameterUnknown',
  'ActionParameterValueTypeError',
  'PropertyUnknown',
  'PropertyNotWritable',
]);

function actionTarget(body: JsonObject, name: string): string | undefined {
  return textAt(objectAt(objectAt(body, 'Actions'), name), 'target');
}

function toStatus({ path, body }: RedfishResource): VirtualMediaStatus {
  return {
    path,
    id: textAt(body, 'Id'),
    mediaTypes: textsAt(body, 'MediaTypes') ?? [],
    inserted: booleanAt(body, 'Inserted') ?? textAt(body, 'Image') !== undefined,
    image: textAt(body, 'Image') ?? null,
    connectedVia: textAt(body, 'ConnectedVia') ?? null,
    writeProtected: booleanAt(body, 'WriteProtected') ?? null,
  };
}

/** Also where the BMC keeps a note of the image, which it does not present any more. */
function isEjected({ inserted, connectedVia }: VirtualMediaStatus): boolean {
  return !inserted || connectedVia === 'NotConnected';
}

/** BMCs that hide the address of the image count as showing it; those that hold it unconnected do not. */
function isInserted({ inserted, image, connectedVia }: VirtualMediaStatus, url: string): boolean {
  return inserted && (image === null || image === url) && connectedVia !== 'NotConnected';
}

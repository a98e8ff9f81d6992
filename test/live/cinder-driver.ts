import { silentLogger } from '@ironbark/core';
import type { OpenStackAccess } from '@ironbark/lab/openstack';
import { createBlockStorage, Session, type BlockStorage } from '@ironbark/openstack';
import { cinderConfig, CinderStorage, type CinderStorageOptions } from '@ironbark/storage-cinder';
import { cinderSettings } from './cinder-settings.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Storage drivers on a running Cinder, without a conductor. */
export class CinderDrivers {
  /** The client that the drivers use. */
  readonly service: BlockStorage;
  readonly #openstack: OpenStackAccess;
  readonly #sessions: Session[] = [];

  constructor(openstack: OpenStackAccess) {
    this.#openstack = openstack;
    this.service = this.connect();
  }

  /** Another client, with settings of its own. */
  connect(settings: Settings = {}): BlockStorage {
    const { session: options, endpoint } = this.#parse(settings);
    const session = new Session(options, { log: silentLogger, settings: 'settings.cinder' });
    this.#sessions.push(session);
    return createBlockStorage(session, { endpoint });
  }

  create(attachmentApi: string | undefined, service = this.service): CinderStorage {
    return new CinderStorage(service, this.options({ attachment_api: attachmentApi }));
  }

  options(settings: Settings): CinderStorageOptions {
    // Longer than a request takes here, and shorter than the patience of the conformance suite.
    return { ...this.#parse(settings).storage, settleMs: 2000 };
  }

  /** Ends what is left attached. Only `os-detach` makes Cinder forget an export that volume actions have made. */
  async cleanUp(volumeIds: readonly string[]): Promise<void> {
    const { signal } = new AbortController();
    const attachments = await this.#openstack.attachments();
    for (const { id, volume_id: volumeId, status } of attachments.filter((each) =>
      volumeIds.includes(each.volume_id),
    )) {
      if (status === 'attached') await this.service.detach(volumeId, id, signal);
      else await this.service.deleteAttachment(id, signal);
    }
    for (const id of volumeIds) await this.#openstack.resetVolume(id);
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.close();
  }

  #parse(settings: Settings) {
    return cinderConfig.parse({
      ...cinderSettings(this.#openstack.details),
      retries: 0,
      action_retries: 1,
      ...settings,
    });
  }
}

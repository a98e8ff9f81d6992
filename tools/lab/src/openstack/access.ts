import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { copyImage } from '../guest/image.ts';
import { LabError } from '../lab-error.ts';
import { poll } from '../wait.ts';
import type { OpenStackDetails, OpenStackUser } from './details.ts';
import { exportsOf, removeExports, type VolumeExport } from './exports.ts';
import { LabImages } from './images.ts';
import { findLeaks } from './leaks.ts';
import { OpenStackSession } from './session.ts';

/** 3.54 shows the mode of an attachment, 3.61 the project of a volume. */
const microversion = { 'OpenStack-API-Version': 'volume 3.61' };
const volumeTimeoutMs = 30_000;

/** A volume as Cinder shows it to an administrator; it has more fields. */
export interface CinderVolume {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  /** GiB. */
  readonly size: number;
  readonly volume_type: string;
  readonly multiattach: boolean;
  /** "true" or "false". */
  readonly bootable: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Only those that are complete. */
  readonly attachments: readonly {
    readonly attachment_id: string;
    readonly server_id: string | null;
    readonly host_name: string | null;
  }[];
}

/** An attachment as Cinder shows it to an administrator. */
export interface CinderAttachment {
  readonly id: string;
  readonly volume_id: string;
  readonly instance: string | null;
  readonly status: string;
  readonly attach_mode: string;
  readonly connection_info: Readonly<Record<string, unknown>>;
}

export interface CreateVolumeOptions {
  readonly name: string;
  /** Default: 1. */
  readonly sizeGib?: number;
  /** Default: false. */
  readonly multiattach?: boolean;
  /** Default: iSCSI. */
  readonly type?: 'iscsi' | 'fibre_channel';
  /** A file with the contents of the volume, which is marked as bootable. Default: the volume is empty. */
  readonly image?: string;
  /** To whose project it belongs. Default: demo. */
  readonly owner?: 'demo' | 'conductor';
}

/** What tests do with running services beside the conductor, and what they see of them. Works in any process. */
export class OpenStackAccess {
  readonly details: OpenStackDetails;
  readonly #admin: OpenStackSession;
  readonly #sessions = new Map<OpenStackUser, OpenStackSession>();

  constructor(details: OpenStackDetails) {
    this.details = details;
    // Role service as well: it may release attachments.
    this.#admin = this.#session(details.users.conductor);
  }

  get authUrl(): string {
    return this.details.authUrl;
  }

  get region(): string {
    return this.details.region;
  }

  get users(): OpenStackDetails['users'] {
    return this.details.users;
  }

  /** Of Cinder, with the version and without a project. */
  get blockStorageUrl(): string {
    return this.details.blockStorageUrl;
  }

  /** Of Glance, without a version. @throws LAB_INVALID when it was not started. */
  get imageUrl(): string {
    const { imageUrl } = this.details;
    if (imageUrl === null)
      throw new LabError('LAB_INVALID', 'Glance does not run: start the services with image: true.');
    return imageUrl;
  }

  /** What can be done with Glance. @throws LAB_INVALID when it was not started. */
  get images(): LabImages {
    return new LabImages(this.imageUrl, this.details);
  }

  /** Creates a volume and waits until it is available. @throws LAB_REQUEST_FAILED, LAB_TIMEOUT */
  async createVolume(options: CreateVolumeOptions): Promise<CinderVolume> {
    const { name, sizeGib: size = 1, multiattach = false, type = 'iscsi', image, owner = 'demo' } = options;
    const session = this.#session(this.users[owner]);
    const volume_type = multiattach ? `${type}_multiattach` : type;
    const body = { volume: { name, size, volume_type } };
    const { volume } = await this.#cinder<{ volume: CinderVolume }>('POST', 'volumes', body, session);
    await this.#reach(volume.id, 'available');
    if (image !== undefined) {
      const path = join(this.details.volumeDirectory, `volume-${volume.id}`);
      await copyImage(image, path);
      await truncate(path, size * 2 ** 30);
      await this.#cinder('POST', `volumes/${volume.id}/action`, { 'os-set_bootable': { bootable: true } });
    }
    return this.volume(volume.id);
  }

  async volume(id: string): Promise<CinderVolume> {
    return (await this.#cinder<{ volume: CinderVolume }>('GET', `volumes/${id}`)).volume;
  }

  /** Volumes of all projects. */
  async volumes(): Promise<readonly CinderVolume[]> {
    return (await this.#cinder<{ volumes: CinderVolume[] }>('GET', 'volumes/detail?all_tenants=1')).volumes;
  }

  /** Attachments of all projects. */
  async attachments(): Promise<readonly CinderAttachment[]> {
    const path = 'attachments/detail?all_tenants=1';
    return (await this.#cinder<{ attachments: CinderAttachment[] }>('GET', path)).attachments;
  }

  /** What machines can reach at this moment: the targets of tgtd, and the maps of the Fibre Channel storage. */
  async exports(): Promise<readonly VolumeExport[]> {
    return exportsOf(this.details);
  }

  /**
   * Says what is left over where nothing should be attached, as sentences: volumes in a transitional state, exports of volumes that
   * are not in use, attachments.
   * @param volumeIds what is looked at. Default: everything.
   */
  async leaks(volumeIds?: readonly string[]): Promise<readonly string[]> {
    const [volumes, attachments, exports] = [await this.volumes(), await this.attachments(), await this.exports()];
    return findLeaks({ volumes, attachments, exports }, volumeIds);
  }

  /** Releases whatever holds a volume, and removes its metadata: it is available as if it were new. */
  async resetVolume(id: string): Promise<void> {
    const attachments = (await this.attachments()).filter((attachment) => attachment.volume_id === id);
    for (const attachment of attachments) await this.#cinder('DELETE', `attachments/${attachment.id}`);
    const action = { 'os-reset_status': { status: 'available', attach_status: 'detached' } };
    await this.#cinder('POST', `volumes/${id}/action`, action);
    await this.#cinder('PUT', `volumes/${id}/metadata`, { metadata: {} });
    await removeExports(this.details, id);
  }

  /** Deletes a volume, whatever its state, and waits until it is gone. */
  async deleteVolume(id: string): Promise<void> {
    await this.resetVolume(id);
    await this.#cinder('DELETE', `volumes/${id}`);
    const gone = async (): Promise<true | undefined> =>
      (await this.volumes()).every((volume) => volume.id !== id) ? true : undefined;
    await poll(gone, { what: `volume ${id} to be deleted`, timeoutMs: volumeTimeoutMs });
  }

  async #reach(id: string, wanted: string): Promise<void> {
    const ask = async (): Promise<true | undefined> => {
      const { status } = await this.volume(id);
      if (status.startsWith('error')) throw new LabError('LAB_REQUEST_FAILED', `Volume ${id} is in state ${status}.`);
      return status === wanted ? true : undefined;
    };
    await poll(ask, { what: `volume ${id} to be ${wanted}`, timeoutMs: volumeTimeoutMs });
  }

  async #cinder<Body>(method: string, path: string, body?: unknown, session = this.#admin): Promise<Body> {
    const url = `${this.blockStorageUrl}/${await session.projectId()}/${path}`;
    return session.call<Body>(method, url, body, microversion);
  }

  #session(user: OpenStackUser): OpenStackSession {
    const session = this.#sessions.get(user) ?? new OpenStackSession(this.details.authUrl, user);
    this.#sessions.set(user, session);
    return session;
  }
}

import { openAsBlob } from 'node:fs';
import { LabError } from '../lab-error.ts';
import type { OpenStackDetails, OpenStackUser } from './details.ts';
import { OpenStackSession } from './session.ts';

const uploadTimeoutMs = 300_000;

/** An image as Glance shows it; its properties are beside these fields. */
export interface GlanceImage {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly visibility: string;
  readonly owner: string;
  /** Bytes; null until there is content. */
  readonly size: number | null;
  readonly os_hash_algo: string | null;
  readonly os_hash_value: string | null;
  readonly [property: string]: unknown;
}

export interface CreateImageOptions {
  readonly name: string;
  /** The content, or the path of a file with it. Default: none, so that the image stays `queued`. */
  readonly content?: Uint8Array<ArrayBuffer> | string;
  /** Default: public. */
  readonly visibility?: 'public' | 'community' | 'shared' | 'private';
  /** To whose project it belongs. Default: demo. */
  readonly owner?: 'demo' | 'conductor';
  /** Beside the ones that every image has. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Default: raw. */
  readonly diskFormat?: string;
  /** Default: bare. */
  readonly containerFormat?: string;
}

/** What tests do with Glance beside the conductor. */
export class LabImages {
  readonly #url: string;
  readonly #details: OpenStackDetails;
  readonly #admin: OpenStackSession;

  constructor(url: string, details: OpenStackDetails) {
    this.#url = `${url}/v2/images`;
    this.#details = details;
    this.#admin = new OpenStackSession(details.authUrl, details.users.conductor);
  }

  /** Creates an image and uploads its content. @throws LAB_REQUEST_FAILED */
  async create(options: CreateImageOptions): Promise<GlanceImage> {
    const { name, content, visibility = 'public', owner = 'demo', properties = {} } = options;
    const { id } = await this.#admin.call<GlanceImage>('POST', this.#url, {
      ...properties,
      name,
      visibility,
      owner: await this.#session(this.#details.users[owner]).projectId(),
      disk_format: options.diskFormat ?? 'raw',
      container_format: options.containerFormat ?? 'bare',
    });
    if (content !== undefined) await this.#upload(id, content);
    return this.get(id);
  }

  async get(id: string): Promise<GlanceImage> {
    return this.#admin.call('GET', `${this.#url}/${id}`);
  }

  /** Offers a `shared` image to the project of a user, who may accept it. */
  async share(id: string, user: OpenStackUser, answer: 'pending' | 'accepted'): Promise<void> {
    const session = this.#session(user);
    const member = await session.projectId();
    await this.#admin.call('POST', `${this.#url}/${id}/members`, { member });
    if (answer === 'accepted') await session.call('PUT', `${this.#url}/${id}/members/${member}`, { status: answer });
  }

  async delete(id: string): Promise<void> {
    await this.#admin.call('DELETE', `${this.#url}/${id}`);
  }

  #session(user: OpenStackUser): OpenStackSession {
    return new OpenStackSession(this.#details.authUrl, user);
  }

  async #upload(id: string, content: Uint8Array<ArrayBuffer> | string): Promise<void> {
    const { token } = await this.#admin.login();
    const response = await fetch(`${this.#url}/${id}/file`, {
      method: 'PUT',
      headers: { 'X-Auth-Token': token, 'Content-Type': 'application/octet-stream' },
      body: typeof content === 'string' ? await openAsBlob(content) : content,
      signal: AbortSignal.timeout(uploadTimeoutMs),
    });
    if (response.ok) return;
    throw new LabError('LAB_REQUEST_FAILED', `PUT image ${id}: ${response.status} ${await response.text()}`);
  }
}

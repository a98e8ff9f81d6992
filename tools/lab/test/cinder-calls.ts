import { OpenStackSession, type CinderAttachment, type OpenStackAccess } from '../src/openstack/index.ts';

const microversion = { 'OpenStack-API-Version': 'volume 3.44' };

/** The calls to Cinder of somebody who attaches volumes. */
export class CinderCalls {
  readonly #session: OpenStackSession;
  readonly #url: string;

  constructor({ authUrl, blockStorageUrl, users }: OpenStackAccess) {
    this.#session = new OpenStackSession(authUrl, users.conductor);
    this.#url = blockStorageUrl;
  }

  async attach(volumeId: string, instanceUuid: string, connector: object): Promise<CinderAttachment> {
    const body = { attachment: { volume_uuid: volumeId, instance_uuid: instanceUuid } };
    const { attachment } = await this.#call<{ attachment: CinderAttachment }>('POST', 'attachments', body);
    const path = `attachments/${attachment.id}`;
    const updated = await this.#call<{ attachment: CinderAttachment }>('PUT', path, { attachment: { connector } });
    await this.#call('POST', `${path}/action`, { 'os-complete': null });
    return updated.attachment;
  }

  async detach(attachmentId: string): Promise<void> {
    await this.#call('DELETE', `attachments/${attachmentId}`);
  }

  async action(volumeId: string, body: object): Promise<void> {
    await this.#call('POST', `volumes/${volumeId}/action`, body);
  }

  async #call<Body>(method: string, path: string, body?: object): Promise<Body> {
    return this.#session.call(method, `${this.#url}/${await this.#session.projectId()}/${path}`, body, microversion);
  }
}

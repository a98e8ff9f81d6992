import { segment, unlessMissing } from '../resource.ts';
import { isServiceError } from '../service-error.ts';
import type { Session } from '../session/session.ts';
import {
  attachmentAnswer,
  attachmentsAnswer,
  connectedAnswer,
  connectionAnswer,
  volumeAnswer,
  volumePage,
} from './answers.ts';
import type {
  Attachment,
  BlockStorage,
  BlockStorageCapabilities,
  ConnectionInfo,
  Connector,
  Volume,
} from './block-storage.ts';
import { attachmentsMinor } from './microversion.ts';
import { VolumeService, type BlockStorageOptions, type VolumeRequest } from './volume-service.ts';

/** @param session is not closed by what is returned. */
export function createBlockStorage(session: Session, options: BlockStorageOptions): BlockStorage {
  return new CinderClient(new VolumeService(session, options));
}

const pageSize = 500;
/** A listing begins anew when the volume is deleted that the next page would begin after. */
const listingAttempts = 3;

/** Block Storage API v3, reference at https://docs.openstack.org/api-ref/block-storage/v3/. */
class CinderClient implements BlockStorage {
  readonly #service: VolumeService;

  constructor(service: VolumeService) {
    this.#service = service;
  }

  async capabilities(signal: AbortSignal): Promise<BlockStorageCapabilities> {
    const minor = await this.#service.newest(signal);
    return { maxVersion: `3.${minor}`, hasAttachments: minor >= attachmentsMinor };
  }

  async getVolume(volumeId: string, signal: AbortSignal): Promise<Volume> {
    return this.#service.read(volumeAnswer, { method: 'GET', path: volumePath(volumeId), signal });
  }

  async listVolumesMarked(metadataKeyPrefix: string, signal: AbortSignal): Promise<readonly Volume[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const volumes = await this.#listVolumes(signal);
        return volumes.filter(({ metadata }) => Object.keys(metadata).some((key) => key.startsWith(metadataKeyPrefix)));
      } catch (error) {
        if (attempt === listingAttempts || !isServiceError(error, 'OPENSTACK_NOT_FOUND')) throw error;
      }
    }
  }

  async setVolumeMetadata(
    volumeId: string,
    metadata: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `${volumePath(volumeId)}/metadata`;
    await this.#service.request({ method: 'POST', path, body: { metadata }, repeatable: true, signal });
  }

  async deleteVolumeMetadata(volumeId: string, key: string, signal: AbortSignal): Promise<void> {
    const path = `${volumePath(volumeId)}/metadata/${segment(key, 'Cinder')}`;
    await unlessMissing(this.#service.request({ method: 'DELETE', path, repeatable: true, signal }));
  }

  async createAttachment(volumeId: string, instanceUuid: string, signal: AbortSignal): Promise<Attachment> {
    const body = { attachment: { volume_uuid: volumeId, instance_uuid: instanceUuid } };
    return this.#service.read(attachmentAnswer, { method: 'POST', path: '/attachments', body, signal });
  }

  async updateAttachment(attachmentId: string, connector: Connector, signal: AbortSignal): Promise<Attachment> {
    const body = { attachment: { connector } };
    const request = { method: 'PUT', path: attachmentPath(attachmentId), body, repeatable: true, signal } as const;
    return this.#service.read(connectedAnswer, request);
  }

  async completeAttachment(attachmentId: string, signal: AbortSignal): Promise<void> {
    const path = `${attachmentPath(attachmentId)}/action`;
    await this.#service.request({ method: 'POST', path, body: { 'os-complete': null }, repeatable: true, signal });
  }

  async findAttachment(attachmentId: string, signal: AbortSignal): Promise<Attachment | undefined> {
    const path = attachmentPath(attachmentId);
    return unlessMissing(this.#service.read(attachmentAnswer, { method: 'GET', path, signal }));
  }

  async listAttachments(
    filter: { readonly volumeId: string } | { readonly instanceUuid: string },
    signal: AbortSignal,
  ): Promise<readonly Attachment[]> {
    const wanted = 'volumeId' in filter ? { volume_id: filter.volumeId } : { instance_id: filter.instanceUuid };
    const query = new URLSearchParams({ ...wanted, all_tenants: '1' });
    return this.#service.read(attachmentsAnswer, { method: 'GET', path: `/attachments?${query.toString()}`, signal });
  }

  async deleteAttachment(attachmentId: string, signal: AbortSignal): Promise<void> {
    const path = attachmentPath(attachmentId);
    await unlessMissing(this.#service.request({ method: 'DELETE', path, repeatable: true, signal }));
  }

  async reserve(volumeId: string, signal: AbortSignal): Promise<void> {
    await this.#service.request(action(volumeId, { 'os-reserve': null }, signal));
  }

  async unreserve(volumeId: string, signal: AbortSignal): Promise<void> {
    await this.#service.request({ ...action(volumeId, { 'os-unreserve': null }, signal), repeatable: true });
  }

  async initializeConnection(volumeId: string, connector: Connector, signal: AbortSignal): Promise<ConnectionInfo> {
    const request = action(volumeId, { 'os-initialize_connection': { connector } }, signal);
    return this.#service.read(connectionAnswer, { ...request, repeatable: true });
  }

  async terminateConnection(volumeId: string, connector: Connector, signal: AbortSignal): Promise<void> {
    const request = action(volumeId, { 'os-terminate_connection': { connector } }, signal);
    await this.#service.request({ ...request, repeatable: true });
  }

  async attach(volumeId: string, instanceUuid: string, mountpoint: string, signal: AbortSignal): Promise<void> {
    const request = action(volumeId, { 'os-attach': { instance_uuid: instanceUuid, mountpoint } }, signal);
    await this.#service.request({ ...request, repeatable: true });
  }

  async beginDetaching(volumeId: string, signal: AbortSignal): Promise<void> {
    await this.#service.request(action(volumeId, { 'os-begin_detaching': null }, signal));
  }

  async rollDetaching(volumeId: string, signal: AbortSignal): Promise<void> {
    await this.#service.request({ ...action(volumeId, { 'os-roll_detaching': null }, signal), repeatable: true });
  }

  async detach(volumeId: string, attachmentId: string | null, signal: AbortSignal): Promise<void> {
    // Cinder answers 500 to null, although its schema allows it.
    const body = { 'os-detach': attachmentId === null ? {} : { attachment_id: attachmentId } };
    await this.#service.request(action(volumeId, body, signal));
  }

  async #listVolumes(signal: AbortSignal): Promise<readonly Volume[]> {
    const all: Volume[] = [];
    for (;;) {
      const marker = all.at(-1)?.id;
      const query = new URLSearchParams({ all_tenants: '1', limit: `${pageSize}`, ...(marker && { marker }) });
      const request = { method: 'GET', path: `/volumes/detail?${query.toString()}`, signal } as const;
      const { volumes, volumes_links: links = [] } = await this.#service.read(volumePage, request);
      all.push(...volumes);
      if (volumes.length === 0 || !links.some(({ rel }) => rel === 'next')) return all;
    }
  }
}

function action(volumeId: string, body: object, signal: AbortSignal): VolumeRequest {
  return { method: 'POST', path: `${volumePath(volumeId)}/action`, body, signal };
}

function volumePath(volumeId: string): string {
  return `/volumes/${segment(volumeId, 'Cinder')}`;
}

function attachmentPath(attachmentId: string): string {
  return `/attachments/${segment(attachmentId, 'Cinder')}`;
}

import { Secret, type Info } from '@ironbark/core';
import {
  ServiceError,
  type Attachment,
  type BlockStorage,
  type BlockStorageCapabilities,
  type ConnectionInfo,
  type Connector,
  type Volume,
} from '@ironbark/openstack';

type Call = keyof BlockStorage;
export type Moment = 'before' | 'after';

interface StoredVolume {
  status: string;
  readonly multiattach: boolean;
  readonly bootable: boolean;
  readonly projectId: string | null;
  readonly metadata: Record<string, string>;
  isExported: boolean;
}

interface StoredAttachment {
  readonly id: string;
  readonly volumeId: string;
  readonly instanceUuid: string | null;
  status: string;
  connector: Connector | null;
}

export interface MadeCall {
  readonly name: Call;
  /** Id of the volume or of the attachment. */
  readonly id: string;
}

/** Told before and after anything is made for a volume. */
export type OnCreate = (moment: Moment, volumeId: string) => Promise<void>;

const creations: readonly Call[] = [
  'createAttachment',
  'updateAttachment',
  'reserve',
  'initializeConnection',
  'attach',
];

/**
 * The books of a Block Storage service in memory, with the rules that Cinder 21 was seen to follow, and faults that a test asks for.
 */
export class MemoryBlockStorage implements BlockStorage {
  readonly volumes = new Map<string, StoredVolume>();
  readonly attachments = new Map<string, StoredAttachment>();
  readonly calls: MadeCall[] = [];
  /** Newest microversion. */
  minor = 70;
  driverVolumeType = 'iscsi';
  /** What the connections of all volumes say beside or instead of the usual. */
  connectionData: Info = {};
  readonly refusesToAttach = new Set<string>();
  readonly refusesToRelease = new Set<string>();
  readonly ignoresRelease = new Set<string>();
  unreachable = false;
  onCreate: OnCreate = () => Promise.resolve();
  /** Waited for before every call. */
  onCall: (call: MadeCall) => unknown = () => {};
  readonly #failures: { readonly name: Call; readonly moment: Moment; readonly error: Error }[] = [];
  #ids = 0;

  addVolume(id: string, options: Partial<Omit<StoredVolume, 'metadata' | 'isExported'>> = {}): void {
    const { status = 'available', multiattach = false, bootable = true, projectId = null } = options;
    this.volumes.set(id, { status, multiattach, bootable, projectId, metadata: {}, isExported: false });
  }

  /** With its attachments, as Cinder does it. */
  deleteVolume(id: string): void {
    for (const attachment of this.attachmentsOf(id)) this.attachments.delete(attachment.id);
    this.volumes.delete(id);
  }

  /** Lets the next call of this name fail once, before or after it has had its effect. */
  fail(name: Call, moment: Moment, error: Error = lostAnswer()): void {
    this.#failures.push({ name, moment, error });
  }

  /** Statuses, exports and attachments that should not be there when nothing is attached. */
  leaks(): readonly string[] {
    const volumes = [...this.volumes];
    const unrest = volumes
      .filter(([, { status }]) => status !== 'available')
      .map(([id, { status }]) => `${id} is ${status}`);
    const exports = volumes.filter(([, { isExported }]) => isExported).map(([id]) => `${id} is exported`);
    const attachments = [...this.attachments.values()].map(({ id, status }) => `attachment ${id} is ${status}`);
    return [...unrest, ...exports, ...attachments];
  }

  attachmentsOf(volumeId: string): readonly StoredAttachment[] {
    return [...this.attachments.values()].filter((attachment) => attachment.volumeId === volumeId);
  }

  async capabilities(_signal: AbortSignal): Promise<BlockStorageCapabilities> {
    if (this.unreachable) throw noConnection();
    return Promise.resolve({ maxVersion: `3.${this.minor}`, hasAttachments: this.minor >= 44 });
  }

  getVolume(volumeId: string, signal: AbortSignal): Promise<Volume> {
    return this.#call('getVolume', volumeId, volumeId, signal, () => this.#view(volumeId, this.#volume(volumeId)));
  }

  listVolumesMarked(prefix: string, signal: AbortSignal): Promise<readonly Volume[]> {
    return this.#call('listVolumesMarked', prefix, '', signal, () => {
      const marked = [...this.volumes].filter(([, { metadata }]) => {
        return Object.keys(metadata).some((key) => key.startsWith(prefix));
      });
      return marked.map(([id, volume]) => this.#view(id, volume));
    });
  }

  setVolumeMetadata(volumeId: string, metadata: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    return this.#call('setVolumeMetadata', volumeId, volumeId, signal, () => {
      if (Object.values(metadata).some((value) => value.length > 255)) throw refused('a value is too long');
      Object.assign(this.#volume(volumeId).metadata, metadata);
    });
  }

  deleteVolumeMetadata(volumeId: string, key: string, signal: AbortSignal): Promise<void> {
    return this.#call('deleteVolumeMetadata', volumeId, volumeId, signal, () => {
      const volume = this.volumes.get(volumeId);
      if (volume !== undefined) Reflect.deleteProperty(volume.metadata, key);
    });
  }

  createAttachment(volumeId: string, instanceUuid: string, signal: AbortSignal): Promise<Attachment> {
    return this.#call('createAttachment', volumeId, volumeId, signal, () => {
      this.#refuseToAttach(volumeId);
      const volume = this.#volume(volumeId);
      const isSame = this.attachmentsOf(volumeId).some((one) => one.instanceUuid === instanceUuid);
      const isFree = volume.status === 'available' || (volume.status === 'in-use' && volume.multiattach) || isSame;
      if (!isFree) throw refused(`status must be available or downloading to reserve, but it is ${volume.status}`);
      const id = this.#nextId();
      this.attachments.set(id, { id, volumeId, instanceUuid, status: 'reserved', connector: null });
      volume.status = 'reserved';
      return this.#shown(id);
    });
  }

  updateAttachment(attachmentId: string, connector: Connector, signal: AbortSignal): Promise<Attachment> {
    const volumeId = this.attachments.get(attachmentId)?.volumeId ?? '';
    return this.#call('updateAttachment', attachmentId, volumeId, signal, () => {
      const attachment = this.#attachment(attachmentId);
      const volume = this.#volume(volumeId);
      const twins = this.attachmentsOf(volumeId).filter((other) => other.id !== attachmentId);
      if (twins.some((twin) => twin.connector?.host === connector.host)) throw failed('duplicate connectors detected');
      Object.assign(attachment, { connector, status: 'attaching' });
      Object.assign(volume, { status: 'attaching', isExported: true });
      return this.#shown(attachmentId);
    });
  }

  completeAttachment(attachmentId: string, signal: AbortSignal): Promise<void> {
    return this.#call('completeAttachment', attachmentId, '', signal, () => {
      const attachment = this.#attachment(attachmentId);
      attachment.status = 'attached';
      this.#volume(attachment.volumeId).status = 'in-use';
    });
  }

  findAttachment(attachmentId: string, signal: AbortSignal): Promise<Attachment | undefined> {
    return this.#call('findAttachment', attachmentId, '', signal, () => {
      return this.attachments.has(attachmentId) ? this.#shown(attachmentId) : undefined;
    });
  }

  listAttachments(
    filter: { readonly volumeId: string } | { readonly instanceUuid: string },
    signal: AbortSignal,
  ): Promise<readonly Attachment[]> {
    const id = 'volumeId' in filter ? filter.volumeId : filter.instanceUuid;
    return this.#call('listAttachments', id, '', signal, () => {
      const wanted = [...this.attachments.values()].filter((attachment) => {
        return 'volumeId' in filter ? attachment.volumeId === id : attachment.instanceUuid === id;
      });
      return wanted.map((attachment) => Object.assign(this.#shown(attachment.id), { connection: null }));
    });
  }

  deleteAttachment(attachmentId: string, signal: AbortSignal): Promise<void> {
    const attachment = this.attachments.get(attachmentId);
    return this.#call('deleteAttachment', attachmentId, '', signal, () => {
      if (attachment !== undefined && this.#mayRelease(attachment.volumeId)) this.#end(attachment);
    });
  }

  reserve(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#call('reserve', volumeId, volumeId, signal, () => {
      this.#refuseToAttach(volumeId);
      const volume = this.#volume(volumeId);
      if (volume.status !== 'available' && !(volume.status === 'in-use' && volume.multiattach)) {
        throw refused(`Volume status must be available to reserve, but the status is ${volume.status}.`);
      }
      volume.status = 'attaching';
    });
  }

  unreserve(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#call('unreserve', volumeId, volumeId, signal, () => this.#unreserve(volumeId));
  }

  initializeConnection(volumeId: string, _connector: Connector, signal: AbortSignal): Promise<ConnectionInfo> {
    return this.#call('initializeConnection', volumeId, volumeId, signal, () => {
      this.#volume(volumeId).isExported = true;
      return this.#connection(volumeId);
    });
  }

  terminateConnection(volumeId: string, _connector: Connector, signal: AbortSignal): Promise<void> {
    return this.#call('terminateConnection', volumeId, volumeId, signal, () => {
      this.#unreserve(volumeId);
    });
  }

  attach(volumeId: string, instanceUuid: string, _mountpoint: string, signal: AbortSignal): Promise<void> {
    return this.#call('attach', volumeId, volumeId, signal, () => {
      const volume = this.#volume(volumeId);
      if (this.attachmentsOf(volumeId).some((one) => one.instanceUuid === instanceUuid && one.status === 'attached'))
        return;
      if (volume.status === 'in-use' && !volume.multiattach) throw refused('volume is already attached');
      const id = this.#nextId();
      this.attachments.set(id, { id, volumeId, instanceUuid, status: 'attached', connector: null });
      volume.status = 'in-use';
    });
  }

  beginDetaching(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#call('beginDetaching', volumeId, volumeId, signal, () => {
      const volume = this.#volume(volumeId);
      if (volume.status !== 'in-use') throw refused('Unable to detach volume.');
      volume.status = 'detaching';
    });
  }

  rollDetaching(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#call('rollDetaching', volumeId, volumeId, signal, () => {
      const volume = this.#volume(volumeId);
      if (volume.status === 'detaching') volume.status = 'in-use';
    });
  }

  /** Removes the export whoever else uses the volume, as Cinder does. */
  detach(volumeId: string, attachmentId: string | null, signal: AbortSignal): Promise<void> {
    return this.#call('detach', volumeId, volumeId, signal, () => {
      if (!this.#mayRelease(volumeId)) return;
      const [first, second] = this.attachmentsOf(volumeId);
      if (attachmentId === null && second !== undefined) throw refused('More than one attachment');
      const attachment = attachmentId === null ? first : this.attachments.get(attachmentId);
      const volume = this.#volume(volumeId);
      if (attachment === undefined) {
        volume.status = this.#restingStatus(volumeId);
        return;
      }
      this.attachments.delete(attachment.id);
      Object.assign(volume, { isExported: false, status: this.#restingStatus(volumeId) });
    });
  }

  async #call<Result>(
    name: Call,
    id: string,
    volumeId: string,
    signal: AbortSignal,
    work: () => Result,
  ): Promise<Result> {
    signal.throwIfAborted();
    await Promise.resolve();
    const call = { name, id };
    this.calls.push(call);
    await this.onCall(call);
    if (this.unreachable) throw noConnection();
    if (creations.includes(name)) await this.onCreate('before', volumeId);
    this.#failAt(name, 'before');
    const result = work();
    if (creations.includes(name)) await this.onCreate('after', volumeId);
    signal.throwIfAborted();
    this.#failAt(name, 'after');
    return result;
  }

  #failAt(name: Call, moment: Moment): void {
    const index = this.#failures.findIndex((failure) => failure.name === name && failure.moment === moment);
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }

  #refuseToAttach(volumeId: string): void {
    if (this.refusesToAttach.has(volumeId)) throw refused(`Volume ${volumeId} is not for you.`);
  }

  #mayRelease(volumeId: string): boolean {
    if (this.refusesToRelease.has(volumeId)) throw refused(`Volume ${volumeId} is not released.`, 409);
    return !this.ignoresRelease.has(volumeId);
  }

  /** An export goes with the last attachment, and only when that one was connected. */
  #end({ id, volumeId, connector }: StoredAttachment): void {
    const volume = this.#volume(volumeId);
    this.attachments.delete(id);
    if (connector !== null && this.attachmentsOf(volumeId).length === 0) volume.isExported = false;
    volume.status = this.#restingStatus(volumeId);
  }

  #unreserve(volumeId: string): void {
    const volume = this.#volume(volumeId);
    if (volume.status === 'attaching') volume.status = this.#restingStatus(volumeId);
  }

  #restingStatus(volumeId: string): string {
    const statuses = this.attachmentsOf(volumeId).map(({ status }) => status);
    if (statuses.includes('attached')) return 'in-use';
    if (statuses.includes('attaching')) return 'attaching';
    return statuses.includes('reserved') ? 'reserved' : 'available';
  }

  #volume(id: string): StoredVolume {
    const volume = this.volumes.get(id);
    if (volume !== undefined) return volume;
    throw new ServiceError('OPENSTACK_NOT_FOUND', `Volume ${id} could not be found.`, {
      httpStatus: 404,
      mayHaveActed: false,
    });
  }

  #attachment(id: string): StoredAttachment {
    const attachment = this.attachments.get(id);
    if (attachment !== undefined) return attachment;
    throw new ServiceError('OPENSTACK_NOT_FOUND', `Attachment ${id} could not be found.`, {
      httpStatus: 404,
      mayHaveActed: false,
    });
  }

  #view(id: string, { status, multiattach, bootable, projectId, metadata }: StoredVolume): Volume {
    const attached = this.attachmentsOf(id).filter((attachment) => attachment.status === 'attached');
    return {
      id,
      name: null,
      status,
      sizeGib: 1,
      projectId,
      bootable,
      multiattach,
      metadata: { ...metadata },
      attachments: attached.map(({ id: attachmentId, instanceUuid: serverId, connector }) => {
        return { attachmentId, serverId, hostName: connector?.host ?? null };
      }),
    };
  }

  #shown(id: string): Attachment {
    const { volumeId, instanceUuid, status, connector } = this.#attachment(id);
    return { id, volumeId, instanceUuid, status, connection: connector === null ? null : this.#connection(volumeId) };
  }

  #connection(volumeId: string): ConnectionInfo {
    return {
      driverVolumeType: this.driverVolumeType,
      data: {
        target_portal: '192.0.2.10:3260',
        target_iqn: `iqn.2010-10.org.openstack:volume-${volumeId}`,
        target_lun: 1,
        auth_method: 'CHAP',
        auth_username: 'chap-user',
        auth_password: Secret.of('Chap-Password-1'),
        encrypted: false,
        ...this.connectionData,
      },
    };
  }

  #nextId(): string {
    this.#ids += 1;
    return `a77ac4ed-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

/** The connection broke: whether the service has acted is not known. */
export function lostAnswer(): ServiceError {
  return new ServiceError('OPENSTACK_UNREACHABLE', 'The connection broke before the answer was complete.', {
    retryable: true,
    httpStatus: null,
    mayHaveActed: true,
  });
}

export function refused(message: string, httpStatus = 400): ServiceError {
  return new ServiceError('OPENSTACK_REJECTED', message, { httpStatus, mayHaveActed: false });
}

export function failed(message: string): ServiceError {
  return new ServiceError('OPENSTACK_FAILURE', message, { retryable: true, httpStatus: 500, mayHaveActed: true });
}

function noConnection(): ServiceError {
  return new ServiceError('OPENSTACK_UNREACHABLE', 'Cinder failed: the connection was refused.', {
    retryable: true,
    httpStatus: null,
    mayHaveActed: false,
  });
}

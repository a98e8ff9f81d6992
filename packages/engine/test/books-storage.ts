import {
  IronbarkError,
  parseVolumeConnection,
  type AttachedVolume,
  type AttachmentFinding,
  type StorageInterface,
  type StoragePlan,
  type Task,
  type VolumeAttachment,
} from '@ironbark/core';

/** A storage service in memory that keeps books of its own: which volumes it holds for which node, perhaps more than once. */
export class BooksStorage implements StorageInterface {
  readonly held = new Map<string, readonly string[]>();
  unreachable = false;
  /** Called while a node is compared, or orphans are looked for; may wait. */
  onCompare: ((nodeUuid: string | null, signal: AbortSignal) => Promise<void> | void) | undefined;

  heldFor(nodeUuid: string): readonly string[] {
    return this.held.get(nodeUuid) ?? [];
  }

  async validate(_task: Task): Promise<readonly string[] | void> {}

  async attach({ node, volumeTargets }: Task): Promise<readonly AttachedVolume[]> {
    this.held.set(
      node.uuid,
      volumeTargets.map(({ volumeId }) => volumeId),
    );
    return volumeTargets.map((target) => ({
      target,
      connection: parseVolumeConnection(target.volumeType, target.properties, 'target'),
    }));
  }

  async detach({ node, journal }: Task): Promise<void> {
    this.held.delete(node.uuid);
    for (const key of (await journal.list()).keys()) await journal.delete(key);
  }

  shouldWriteImage(): boolean {
    return false;
  }

  /** Connections are known only to the service. */
  async plan({ volumeTargets }: Task): Promise<StoragePlan> {
    const calls = volumeTargets.map(({ volumeId }) => ({ target: 'service', action: `attach ${volumeId}` }));
    return { calls, volumes: [], warnings: ['The service may be slow.'] };
  }

  async reconcile(
    { node, signal, journal }: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    await this.#answer(node.uuid, signal);
    const held = this.heldFor(node.uuid);
    const isExpected = (volumeId: string) => expected.some((one) => one.volumeId === volumeId);
    const leaked = held.filter((volumeId, index) => !isExpected(volumeId) || held.indexOf(volumeId) < index);
    const missing = expected.filter(({ volumeId }) => !held.includes(volumeId));
    if (repair) {
      for (const key of (await journal.list()).keys()) await journal.delete(key);
      this.held.set(
        node.uuid,
        held.filter((volumeId, index) => isExpected(volumeId) && held.indexOf(volumeId) === index),
      );
    }
    return [
      ...leaked.map((volumeId) => finding('leaked', node.uuid, volumeId, repair)),
      ...missing.map(({ volumeId }) => finding('missing', node.uuid, volumeId, false)),
    ];
  }

  async findOrphans(
    isKnown: (nodeUuid: string) => boolean,
    signal: AbortSignal,
  ): Promise<readonly AttachmentFinding[]> {
    const strangers = [...this.held].filter(([nodeUuid]) => !isKnown(nodeUuid));
    await this.#answer(null, signal);
    return strangers.flatMap(([nodeUuid, ids]) => ids.map((id) => finding('leaked', nodeUuid, id, false)));
  }

  async #answer(nodeUuid: string | null, signal: AbortSignal): Promise<void> {
    await this.onCompare?.(nodeUuid, signal);
    if (this.unreachable) throw new IronbarkError('STORAGE_FAILURE', 'The service does not answer.');
  }
}

function finding(
  kind: AttachmentFinding['kind'],
  nodeUuid: string,
  volumeId: string,
  isRepaired: boolean,
): AttachmentFinding {
  const explanation = `Volume ${volumeId} is ${kind}.`;
  return { kind, nodeUuid, volumeId, attachmentId: null, explanation, isOurs: kind === 'leaked', isRepaired };
}

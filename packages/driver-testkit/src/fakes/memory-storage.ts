import {
  explain,
  IronbarkError,
  isImageOfVolume,
  isIronbarkError,
  parseVolumeConnection,
  type AttachedVolume,
  type AttachmentFinding,
  type OnVolume,
  type StorageInterface,
  type StoragePlan,
  type Task,
  type VolumeAttachment,
  type VolumeConnection,
  type VolumeOutcome,
  type VolumeTarget,
} from '@ironbark/core';

/** Told before and after a backend creates an attachment; the backend waits for the answer. */
export type OnCreate = (moment: 'before' | 'after', volumeId: string) => Promise<void>;

/** A disk array in memory: which volumes it exports to which node, and what is wrong with it. */
export class MemoryArray {
  readonly #exports: { readonly nodeUuid: string; readonly volumeId: string }[] = [];
  readonly #onCreate: OnCreate;
  readonly refusesToAttach = new Set<string>();
  readonly refusesToRelease = new Set<string>();
  /** Volumes that it says it released, and did not. */
  readonly ignoresRelease = new Set<string>();
  unreachable = false;

  constructor(onCreate: OnCreate = () => Promise.resolve()) {
    this.#onCreate = onCreate;
  }

  /** Ids of the volumes that are exported to a node, as the array's own administrator sees them. */
  exportsTo(nodeUuid: string): readonly string[] {
    return this.#exports.filter((one) => one.nodeUuid === nodeUuid).map((one) => one.volumeId);
  }

  /** All exports, as {@link MemoryArray.exportsTo}. */
  async listAll(): Promise<readonly { readonly nodeUuid: string; readonly volumeId: string }[]> {
    await this.#answer();
    return [...this.#exports];
  }

  async list(nodeUuid: string): Promise<readonly string[]> {
    await this.#answer();
    return this.exportsTo(nodeUuid);
  }

  async create(nodeUuid: string, volumeId: string): Promise<void> {
    await this.#answer();
    await this.#onCreate('before', volumeId);
    if (this.refusesToAttach.has(volumeId)) throw refusal(`does not export volume ${volumeId}`);
    this.#exports.push({ nodeUuid, volumeId });
    await this.#onCreate('after', volumeId);
  }

  async remove(nodeUuid: string, volumeId: string): Promise<void> {
    await this.#answer();
    if (this.refusesToRelease.has(volumeId)) throw refusal(`does not release volume ${volumeId}`);
    if (this.ignoresRelease.has(volumeId)) return;
    const index = this.#exports.findIndex((one) => one.nodeUuid === nodeUuid && one.volumeId === volumeId);
    if (index >= 0) this.#exports.splice(index, 1);
  }

  async #answer(): Promise<void> {
    await Promise.resolve();
    if (this.unreachable) throw refusal('does not answer');
  }
}

function refusal(problem: string): IronbarkError {
  return new IronbarkError('STORAGE_FAILURE', `The array ${problem}.`, { hint: 'Look at the log of the array.' });
}

const journalKey = 'volumes';

/** A storage interface for a {@link MemoryArray} that keeps the contract. The connections are those in the targets' properties. */
export class MemoryStorage implements StorageInterface {
  readonly capabilities = ['image_volumes'] as const;
  readonly array: MemoryArray;

  constructor(array = new MemoryArray()) {
    this.array = array;
  }

  async validate(task: Task): Promise<void> {
    await Promise.resolve();
    for (const target of task.volumeTargets) connectionOf(target);
  }

  async attach(task: Task, onVolume: OnVolume = () => {}): Promise<readonly AttachedVolume[]> {
    task.signal.throwIfAborted();
    if (task.volumeTargets.length === 0) return [];
    const volumes = inBootOrder(task).map((target) => ({ target, connection: connectionOf(target) }));
    const held = await this.array.list(task.node.uuid);
    const created: string[] = [];
    try {
      for (const { volumeId } of inBootOrder(task)) {
        task.signal.throwIfAborted();
        if (held.includes(volumeId)) continue;
        await this.remember(task, volumeId);
        created.push(volumeId);
        await this.array.create(task.node.uuid, volumeId);
      }
    } catch (error) {
      if (isIronbarkError(error, 'LOCK_LOST')) throw error;
      await this.rollBack(task, created);
      const [failed, ...released] = created.toReversed();
      if (failed !== undefined) onVolume(outcome(failed, 'failed', explain(error)));
      for (const volumeId of released) onVolume(outcome(volumeId, 'released'));
      throw error;
    }
    for (const { volumeId } of inBootOrder(task)) {
      onVolume(outcome(volumeId, held.includes(volumeId) ? 'adopted' : 'attached'));
    }
    return volumes;
  }

  async detach(task: Task, onVolume: OnVolume = () => {}): Promise<void> {
    task.signal.throwIfAborted();
    const noted = await remembered(task);
    const volumeIds = [...new Set([...noted, ...task.volumeTargets.map((target) => target.volumeId)])];
    if (volumeIds.length === 0) return;
    const before = await this.array.list(task.node.uuid);
    await this.confirmLock(task);
    try {
      await this.release(task, volumeIds);
    } catch (error) {
      const left = this.array.exportsTo(task.node.uuid);
      for (const volumeId of volumeIds) {
        if (left.includes(volumeId)) onVolume(outcome(volumeId, 'failed', explain(error)));
        else onVolume(outcome(volumeId, before.includes(volumeId) ? 'released' : 'absent'));
      }
      throw error;
    }
    for (const volumeId of volumeIds) onVolume(outcome(volumeId, before.includes(volumeId) ? 'released' : 'absent'));
    await task.journal.delete(journalKey);
  }

  async reconcile(
    task: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    const { node, volumeTargets } = task;
    const wanted = expected.map(({ volumeId }) => volumeId);
    const all = await this.array.listAll();
    const held = all.filter(({ nodeUuid }) => nodeUuid === node.uuid).map(({ volumeId }) => volumeId);
    const leaked = held.filter((volumeId) => !wanted.includes(volumeId));
    const targeted = volumeTargets.map(({ volumeId }) => volumeId);
    const foreign = all.filter(({ nodeUuid, volumeId }) => nodeUuid !== node.uuid && targeted.includes(volumeId));
    if (repair && leaked.length > 0) {
      await this.confirmLock(task);
      await this.release(task, leaked);
    }
    return [
      ...leaked.map((volumeId) => finding(node.uuid, volumeId, 'leaked', repair)),
      ...wanted
        .filter((volumeId) => !held.includes(volumeId))
        .map((volumeId) => finding(node.uuid, volumeId, 'missing', false)),
      ...foreign.map(({ volumeId }) => finding(node.uuid, volumeId, 'foreign', false)),
    ];
  }

  async findOrphans(
    isKnown: (nodeUuid: string) => boolean,
    signal: AbortSignal,
  ): Promise<readonly AttachmentFinding[]> {
    signal.throwIfAborted();
    const orphans = (await this.array.listAll()).filter(({ nodeUuid }) => !isKnown(nodeUuid));
    return orphans.map(({ nodeUuid, volumeId }) =>
      Object.assign(finding(nodeUuid, volumeId, 'leaked', false), { isOurs: false }),
    );
  }

  shouldWriteImage(task: Task): boolean {
    const asksForImage = 'image_source' in task.node.instanceInfo && !isImageOfVolume(task);
    return asksForImage || !task.volumeTargets.some((target) => target.bootIndex === 0);
  }

  async plan(task: Task): Promise<StoragePlan> {
    await Promise.resolve();
    const volumes = inBootOrder(task).map((target) => ({ target, connection: connectionOf(target) }));
    const calls = volumes.map(({ target }) => ({ target: 'array', action: `export volume ${target.volumeId}` }));
    return { calls, volumes, warnings: [] };
  }

  /** Notes a volume before the array is asked to export it, so that a crash leaves nothing unknown. */
  protected async remember(task: Task, volumeId: string): Promise<void> {
    const known = await remembered(task);
    if (!known.includes(volumeId)) await task.journal.put(journalKey, [...known, volumeId]);
  }

  /** Throws when another conductor has taken the node over: then nothing may be taken from its machine. */
  protected async confirmLock(task: Task): Promise<void> {
    await task.journal.put(journalKey, await remembered(task));
  }

  /** The failure of the attachment is what the caller has to hear; what could not be released is still in the journal. */
  protected async rollBack(task: Task, volumeIds: readonly string[]): Promise<void> {
    await this.release(task, volumeIds).catch((error: unknown) => {
      task.log.warn({ err: error }, 'volumes stay attached after a failed attachment');
    });
  }

  protected async release(task: Task, volumeIds: readonly string[]): Promise<void> {
    const held = await this.array.list(task.node.uuid);
    const failures: unknown[] = [];
    for (const volumeId of volumeIds.filter((id) => held.includes(id))) {
      await this.array.remove(task.node.uuid, volumeId).catch((error: unknown) => failures.push(error));
    }
    const remaining = (await this.array.list(task.node.uuid)).filter((id) => volumeIds.includes(id));
    if (remaining.length === 0) return;
    throw new IronbarkError(
      'STORAGE_FAILURE',
      `Volumes ${remaining.join(', ')} are still attached to node ${task.node.uuid}.`,
      { hint: 'Release them on the array, or try again.', cause: failures[0] },
    );
  }
}

function outcome(volumeId: string, result: VolumeOutcome['result'], error: string | null = null): VolumeOutcome {
  return { volumeId, result, durationMs: 0, error };
}

function finding(
  nodeUuid: string,
  volumeId: string,
  kind: AttachmentFinding['kind'],
  isRepaired: boolean,
): AttachmentFinding {
  const explanation = `Volume ${volumeId} of node ${nodeUuid} is ${kind}. Look at the exports of the array.`;
  return { kind, nodeUuid, volumeId, attachmentId: null, explanation, isOurs: kind === 'leaked', isRepaired };
}

async function remembered(task: Task): Promise<readonly string[]> {
  return ((await task.journal.get(journalKey)) ?? []) as readonly string[];
}

function inBootOrder(task: Task): readonly VolumeTarget[] {
  return task.volumeTargets.toSorted((a, b) => a.bootIndex - b.bootIndex);
}

function connectionOf(target: VolumeTarget): VolumeConnection {
  return parseVolumeConnection(target.volumeType, target.properties, `volume target ${target.uuid}`);
}

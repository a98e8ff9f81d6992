import {
  isIronbarkError,
  type AttachedVolume,
  type AttachmentFinding,
  type OnVolume,
  type StoragePlan,
  type Task,
  type VolumeAttachment,
} from '@ironbark/core';
import { describe } from 'vitest';
import { MemoryStorage, type MemoryArray } from '../src/fakes.ts';
import { describeStorageDriver } from '../src/storage.ts';
import { itFindsMutants } from './mutants.ts';
import { storageHarness } from './reference-harnesses.ts';

const forever = new AbortController().signal;

class AttachesInUuidOrder extends MemoryStorage {
  override async attach(task: Task, onVolume?: OnVolume): Promise<readonly AttachedVolume[]> {
    const volumes = await super.attach(task, onVolume);
    return volumes.toSorted((a, b) => (a.target.uuid < b.target.uuid ? -1 : 1));
  }
}

class LeaksOnPartialFailure extends MemoryStorage {
  protected override async rollBack(): Promise<void> {}
}

class RollsEverythingBack extends MemoryStorage {
  protected override rollBack(task: Task): Promise<void> {
    return super.rollBack(task, this.array.exportsTo(task.node.uuid));
  }
}

class ForgetsToDetach extends MemoryStorage {
  override async detach(task: Task): Promise<void> {
    task.signal.throwIfAborted();
    await Promise.resolve();
  }
}

class DetachesBootVolumeOnly extends MemoryStorage {
  override detach(task: Task): Promise<void> {
    return super.detach({ ...task, volumeTargets: task.volumeTargets.slice(0, 1), journal: silentJournal });
  }
}

const silentJournal: Task['journal'] = {
  get: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
  list: () => Promise.resolve(new Map()),
};

class AttachesAgain extends MemoryStorage {
  override async attach(task: Task): Promise<readonly AttachedVolume[]> {
    const held = this.array.exportsTo(task.node.uuid);
    const volumes = await super.attach(task);
    for (const volumeId of held) await this.array.create(task.node.uuid, volumeId);
    return volumes;
  }
}

class IgnoresAbort extends MemoryStorage {
  override attach(task: Task): Promise<readonly AttachedVolume[]> {
    return super.attach({ ...task, signal: forever });
  }
}

class GoesOnAfterAbort extends MemoryStorage {
  override attach(task: Task): Promise<readonly AttachedVolume[]> {
    task.signal.throwIfAborted();
    return super.attach({ ...task, signal: forever });
  }
}

class TrustsTheArray extends MemoryStorage {
  protected override async release(task: Task, volumeIds: readonly string[]): Promise<void> {
    for (const volumeId of volumeIds) await this.array.remove(task.node.uuid, volumeId);
  }
}

class WritesNoJournal extends MemoryStorage {
  protected override async remember(): Promise<void> {}
}

class IgnoresLostLock extends MemoryStorage {
  protected override async remember(task: Task, volumeId: string): Promise<void> {
    await super.remember(task, volumeId).catch(() => {});
  }
}

class DetachesNeighbours extends MemoryStorage {
  readonly #seen = new Set<string>();
  override attach(task: Task): Promise<readonly AttachedVolume[]> {
    this.#seen.add(task.node.uuid);
    return super.attach(task);
  }
  override async detach(task: Task): Promise<void> {
    await super.detach(task);
    for (const uuid of this.#seen) {
      for (const volumeId of this.array.exportsTo(uuid)) await this.array.remove(uuid, volumeId);
    }
  }
}

class KeepsItsNote extends MemoryStorage {
  override async detach(task: Task): Promise<void> {
    await super.detach(task);
    await task.journal.put('done', true);
  }
}

class RemembersInMemory extends MemoryStorage {
  readonly #attached = new Set<string>();
  override async attach(task: Task): Promise<readonly AttachedVolume[]> {
    const volumes = await super.attach(task);
    this.#attached.add(task.node.uuid);
    return volumes;
  }
  override async detach(task: Task): Promise<void> {
    task.signal.throwIfAborted();
    if (this.#attached.has(task.node.uuid)) await super.detach(task);
  }
}

class CallsFailureSuccess extends MemoryStorage {
  override async detach(task: Task): Promise<void> {
    await super.detach(task).catch((error: unknown) => {
      if (!isIronbarkError(error, 'STORAGE_FAILURE')) throw error;
    });
  }
}

class SkipsNullImage extends MemoryStorage {
  override shouldWriteImage(task: Task): boolean {
    const { image_source: image = null } = task.node.instanceInfo;
    return image !== null || !task.volumeTargets.some((target) => target.bootIndex === 0);
  }
}

class AttachesWhenPlanning extends MemoryStorage {
  override async plan(task: Task): Promise<StoragePlan> {
    await this.attach(task);
    return await super.plan(task);
  }
}

class ValidatesNothing extends MemoryStorage {
  override async validate(): Promise<void> {}
}

class LogsPassword extends MemoryStorage {
  override async attach(task: Task): Promise<readonly AttachedVolume[]> {
    const volumes = await super.attach(task);
    for (const { connection } of volumes) {
      if (connection.kind === 'iscsi') task.log.debug({ password: connection.chap?.password.reveal() }, 'attached');
    }
    return volumes;
  }
}

class TellsNothing extends MemoryStorage {
  override attach(task: Task): Promise<readonly AttachedVolume[]> {
    return super.attach(task);
  }
  override detach(task: Task): Promise<void> {
    return super.detach(task);
  }
}

class TellsTwice extends MemoryStorage {
  override detach(task: Task, onVolume: OnVolume = () => {}): Promise<void> {
    return super.detach(task, (outcome) => {
      onVolume(outcome);
      onVolume(outcome);
    });
  }
}

class HidesFailures extends MemoryStorage {
  override attach(task: Task, onVolume: OnVolume = () => {}): Promise<readonly AttachedVolume[]> {
    return super.attach(task, (outcome) => {
      if (outcome.result !== 'failed') onVolume(outcome);
    });
  }
}

class CallsFailedReleased extends MemoryStorage {
  override detach(task: Task, onVolume: OnVolume = () => {}): Promise<void> {
    return super.detach(task, (outcome) => {
      onVolume(outcome.result === 'failed' ? { ...outcome, result: 'released', error: null } : outcome);
    });
  }
}

class DetachesWithoutLock extends MemoryStorage {
  protected override async confirmLock(): Promise<void> {}
}

class RepairsUnasked extends MemoryStorage {
  override reconcile(task: Task, expected: readonly VolumeAttachment[]): Promise<readonly AttachmentFinding[]> {
    return super.reconcile(task, expected, true);
  }
}

class RepairsEverything extends MemoryStorage {
  override async reconcile(
    task: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    const findings = await super.reconcile(task, expected, repair);
    if (repair) await this.release(task, this.array.exportsTo(task.node.uuid));
    return findings;
  }
}

class TakesFromNeighbours extends MemoryStorage {
  override async reconcile(
    task: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    const findings = await super.reconcile(task, expected, repair);
    const foreign = (await this.array.listAll()).filter(({ nodeUuid }) => nodeUuid !== task.node.uuid);
    for (const { nodeUuid, volumeId } of repair ? foreign : []) await this.array.remove(nodeUuid, volumeId);
    return findings;
  }
}

class MissesNothing extends MemoryStorage {
  override async reconcile(
    task: Task,
    expected: readonly VolumeAttachment[],
    repair: boolean,
  ): Promise<readonly AttachmentFinding[]> {
    return (await super.reconcile(task, expected, repair)).filter(({ kind }) => kind !== 'missing');
  }
}

class KnowsEveryNode extends MemoryStorage {
  override findOrphans(): Promise<readonly AttachmentFinding[]> {
    return Promise.resolve([]);
  }
}

class StaysAttached extends MemoryStorage {
  readonly followsPower = false;
}

function mutant(fault: string, failsIn: string, make: (array: MemoryArray) => MemoryStorage) {
  return { fault, failsIn, harness: storageHarness(make) };
}

const partialFailure = 'attach that fails > releases what it attached when a later volume fails';

describe('the storage suite', () => {
  itFindsMutants(describeStorageDriver, [
    mutant(
      'returns volumes in another order',
      'attach > returns a connection for every target in the order of the boot index',
      (array) => new AttachesInUuidOrder(array),
    ),
    mutant('leaks on a partial failure', partialFailure, (array) => new LeaksOnPartialFailure(array)),
    mutant(
      'rolls back what was attached before',
      'attach that fails > keeps what was attached before when a further volume fails',
      (array) => new RollsEverythingBack(array),
    ),
    mutant('forgets to detach', 'detach > releases every volume of the node', (array) => new ForgetsToDetach(array)),
    mutant(
      'detaches the boot volume only',
      'detach > releases every volume of the node',
      (array) => new DetachesBootVolumeOnly(array),
    ),
    mutant('attaches twice', 'attach > twice is the same as once', (array) => new AttachesAgain(array)),
    mutant(
      'ignores an aborted signal',
      'attach that fails > does not begin when its signal is aborted',
      (array) => new IgnoresAbort(array),
    ),
    mutant(
      'goes on after an abort',
      'attach that fails > stops when its signal is aborted on the way, and a detach releases the rest',
      (array) => new GoesOnAfterAbort(array),
    ),
    mutant(
      'believes the backend that a volume is released',
      'detach that fails > releases the others and names the volume that the backend only claims to release',
      (array) => new TrustsTheArray(array),
    ),
    mutant(
      'asks the backend before it writes the journal',
      'attach that fails > writes a note into the journal before it asks the backend to make something',
      (array) => new WritesNoJournal(array),
    ),
    mutant(
      'goes on without the lock',
      'attach that fails > makes nothing when the lock is lost',
      (array) => new IgnoresLostLock(array),
    ),
    mutant(
      'releases the volumes of a neighbour',
      'detach > leaves the volumes of another node alone',
      (array) => new DetachesNeighbours(array),
    ),
    mutant(
      'keeps its note of a released volume',
      'detach > leaves no note in the journal, which would count as a volume that may be attached',
      (array) => new KeepsItsNote(array),
    ),
    mutant(
      'forgets everything in a restart',
      'detach > releases after a restart what was attached before it',
      (array) => new RemembersInMemory(array),
    ),
    mutant(
      'reports success for a failed release',
      'detach that fails > does not succeed when the backend does not answer',
      (array) => new CallsFailureSuccess(array),
    ),
    mutant(
      'takes a null image for none',
      'an image > is written when image_source is null, in spite of a boot volume',
      (array) => new SkipsNullImage(array),
    ),
    mutant(
      'attaches when it plans',
      'plan > touches nothing, neither before nor after an attachment',
      (array) => new AttachesWhenPlanning(array),
    ),
    mutant(
      'validates nothing',
      'records and self-description > refuses a LUN out of range',
      (array) => new ValidatesNothing(array),
    ),
    mutant(
      'tells nothing of its volumes',
      'onVolume > hears of every volume that was attached, and of those that were already',
      (array) => new TellsNothing(array),
    ),
    mutant(
      'tells of a volume twice',
      'onVolume > hears of every volume that was released, and that there is nothing the second time',
      (array) => new TellsTwice(array),
    ),
    mutant(
      'does not tell which volume failed',
      'onVolume > hears which volume was not attached and why, and of none that stays attached',
      (array) => new HidesFailures(array),
    ),
    mutant(
      'tells of a failed release as done',
      'onVolume > hears which volume was not released and why',
      (array) => new CallsFailedReleased(array),
    ),
    mutant(
      'releases without the lock',
      'detach that fails > releases nothing when the lock is lost',
      (array) => new DetachesWithoutLock(array),
    ),
    mutant(
      'repairs without the lock',
      'reconcile > releases nothing when the lock is lost',
      (array) => new DetachesWithoutLock(array),
    ),
    mutant(
      'repairs without being asked',
      'reconcile > finds what should not be held, and changes nothing unless it is asked to',
      (array) => new RepairsUnasked(array),
    ),
    mutant(
      'repairs what is right',
      'reconcile > releases what should not be held when it is asked to, and keeps the rest',
      (array) => new RepairsEverything(array),
    ),
    mutant(
      'repairs by taking from another node',
      'reconcile > finds a volume of the node that another node holds, and leaves it there',
      (array) => new TakesFromNeighbours(array),
    ),
    mutant(
      'overlooks what is missing',
      'reconcile > finds what the backend has lost',
      (array) => new MissesNothing(array),
    ),
    mutant(
      'overlooks orphans',
      'reconcile > finds volumes of nodes that are not known, and changes nothing',
      (array) => new KnowsEveryNode(array),
    ),
    mutant(
      'does not follow the power as its harness says',
      'self-description > says that its volumes follow the power of the machine',
      (array) => new StaysAttached(array),
    ),
    mutant('logs a password', 'attach > attaches exactly the volumes of the node', (array) => new LogsPassword(array)),
  ]);
});

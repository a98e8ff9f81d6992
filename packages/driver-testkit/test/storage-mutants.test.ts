import { isIronbarkError, type AttachedVolume, type StoragePlan, type Task } from '@ironbark/core';
import { describe } from 'vitest';
import { MemoryStorage, type MemoryArray } from '../src/fakes.ts';
import { describeStorageDriver } from '../src/storage.ts';
import { itFindsMutants } from './mutants.ts';
import { storageHarness } from './reference-harnesses.ts';

const forever = new AbortController().signal;

class AttachesInUuidOrder extends MemoryStorage {
  override async attach(task: Task): Promise<readonly AttachedVolume[]> {
    const volumes = await super.attach(task);
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
      'attach that fails > stops before the next volume when its signal is aborted on the way, and a detach releases the rest',
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
    mutant('logs a password', 'attach > attaches exactly the volumes of the node', (array) => new LogsPassword(array)),
  ]);
});

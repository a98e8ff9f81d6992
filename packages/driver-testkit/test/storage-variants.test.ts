import type { Task } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { MemoryArray, MemoryStorage } from '../src/fakes.ts';
import { describeStorageDriver, type StorageHarness } from '../src/storage.ts';
import { collectResults, failuresIn } from './collect-results.ts';

/** Sees only what a driver of its own kind has noted. */
class Newcomer extends MemoryStorage {
  override async detach(task: Task): Promise<void> {
    if ((await task.journal.list()).size > 0) await super.detach(task);
  }
}

class Oldtimer extends MemoryStorage {
  protected override async remember(): Promise<void> {}
}

function variantHarness(make: (variant: string | undefined, array: MemoryArray) => MemoryStorage): StorageHarness {
  return {
    attachments: 'managed',
    reconciles: true,
    variants: ['old', 'new'],
    create({ records, onCreate, variant }) {
      const array = new MemoryArray(onCreate);
      return {
        driver: make(variant, array),
        records,
        observe: ({ node }) => array.exportsTo(node.uuid),
        restart: (other) => make(other ?? variant, array),
      };
    },
  };
}

describe('a driver that can be set up in two ways', () => {
  describeStorageDriver(
    { describe, it },
    variantHarness((_variant, array) => new MemoryStorage(array)),
  );
});

describe('the variants of a storage harness', () => {
  it('show a driver that does not release what it attached when it was set up in another way', async () => {
    const harness = variantHarness((variant, array) => new (variant === 'old' ? Oldtimer : Newcomer)(array));
    const failures = failuresIn(await collectResults((runner) => describeStorageDriver(runner, harness)));
    expect(failures).toContain('old > a change to new > keeps what is attached, and releases it');
  });
});

import { parseVolumeConnection, type StorageInterface } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../src/fakes.ts';
import { describeStorageDriver, malformedIscsiTargets, type StorageHarness } from '../src/storage.ts';
import { collectResults, failuresIn } from './collect-results.ts';

/** Volumes that are exported all the time: nothing is made, nothing is released. */
class StaticStorage extends MemoryStorage {
  override attach: StorageInterface['attach'] = async (task) => {
    await Promise.resolve();
    task.signal.throwIfAborted();
    return task.volumeTargets.map((target) => {
      const connection = parseVolumeConnection(target.volumeType, target.properties, `volume target ${target.uuid}`);
      return { target, connection };
    });
  };
  override detach: StorageInterface['detach'] = async (task) => {
    await Promise.resolve();
    task.signal.throwIfAborted();
  };
  override plan: StorageInterface['plan'] = async (task) => ({
    calls: [],
    volumes: await this.attach(task),
    warnings: [],
  });
}

class NoStorage extends StaticStorage {
  override attach: StorageInterface['attach'] = async ({ signal }) => {
    await Promise.resolve();
    signal.throwIfAborted();
    return [];
  };
  override shouldWriteImage = () => true;
  override validate = async () => {};
}

function staticHarness(make: () => StorageInterface, more: Partial<StorageHarness> = {}): StorageHarness {
  const create: StorageHarness['create'] = ({ records }) => ({
    driver: make(),
    records,
    observe: () => [],
    restart: make,
  });
  return { attachments: 'static', create, ...more };
}

const noStorage: Partial<StorageHarness> = { connects: 'none', writesImage: 'always' };

describe('a driver for volumes that are always exported', () => {
  describeStorageDriver(
    { describe, it },
    staticHarness(() => new StaticStorage(), { refuses: malformedIscsiTargets }),
  );
});

describe('a driver without volumes', () => {
  describeStorageDriver(
    { describe, it },
    staticHarness(() => new NoStorage(), noStorage),
  );
});

describe('the declarations of a storage harness', () => {
  it('are checked: a driver that connects nothing fails where connections are promised', async () => {
    const harness = staticHarness(() => new NoStorage(), { writesImage: 'always' });
    const results = await collectResults((runner) => describeStorageDriver(runner, harness));
    expect(failuresIn(results)).toContain(
      'attach > returns a connection for every target in the order of the boot index',
    );
  });

  it('are checked: a driver that always writes an image fails where it must not', async () => {
    const harness = staticHarness(() => new NoStorage(), { connects: 'none' });
    const results = await collectResults((runner) => describeStorageDriver(runner, harness));
    expect(failuresIn(results)).toEqual(['an image > is not written to a node with a boot volume']);
  });
});

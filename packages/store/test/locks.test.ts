import { describe, expect, it } from 'vitest';
import type { Lock, Store } from '../src/index.ts';
import { node, operation, target, temporaryStore, uuid } from './records.ts';

async function lockedNode(leaseMs = 60_000): Promise<{ store: Store; lock: Lock }> {
  const store = await temporaryStore();
  await store.nodes.insert(node(1));
  const lock = await store.locks.acquire(uuid(1), 'conductor-1', leaseMs);
  if (lock === undefined) throw new Error('the node was not locked');
  return { store, lock };
}

describe('a node lock', () => {
  it('is given to one holder at a time', async () => {
    const { store } = await lockedNode();
    expect(await store.locks.acquire(uuid(1), 'conductor-2', 1000)).toBeUndefined();
    expect(await store.locks.acquire(uuid(1), 'conductor-1', 1000)).toBeUndefined();
  });

  it('is not given for a node that does not exist', async () => {
    const { store } = await lockedNode();
    await expect(store.locks.acquire(uuid(2), 'conductor-1', 1000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is free again after its release, with a greater number', async () => {
    const { store, lock } = await lockedNode();
    await store.locks.release(lock);
    expect(await store.locks.find(uuid(1))).toBeUndefined();
    expect((await store.locks.acquire(uuid(1), 'conductor-2', 1000))?.fence).toBeGreaterThan(lock.fence);
  });

  it('can be taken by another conductor once its lease has expired, and not after a renewal', async () => {
    const { store, lock } = await lockedNode(-1);
    await store.locks.renew('conductor-1', 60_000);
    expect(await store.locks.acquire(uuid(1), 'conductor-2', 1000)).toBeUndefined();
    await store.locks.renew('conductor-1', -1);
    expect((await store.locks.acquire(uuid(1), 'conductor-2', 1000))?.fence).toBe(lock.fence + 1);
  });

  it('can be taken over by the conductor of the same name after its restart', async () => {
    const { store, lock } = await lockedNode();
    expect((await store.locks.acquire(uuid(1), 'conductor-1', 1000, true))?.fence).toBe(lock.fence + 1);
    expect(await store.locks.acquire(uuid(1), 'conductor-2', 1000, true)).toBeUndefined();
  });

  it('is not released by a holder that has lost it', async () => {
    const { store, lock } = await lockedNode();
    const taken = await store.locks.acquire(uuid(1), 'conductor-1', 60_000, true);
    await store.locks.release(lock);
    expect((await store.locks.find(uuid(1)))?.fence).toBe(taken?.fence);
  });
});

describe('a holder that has lost its lock', () => {
  const writes: readonly [string, (store: Store, lock: Lock) => Promise<unknown>][] = [
    ['update a node', (store, lock) => store.nodes.update(uuid(1), { lastError: 'late' }, lock)],
    ['delete a record', (store, lock) => store.volumeTargets.delete(uuid(2), lock)],
    ['begin an operation', (store, lock) => store.operations.insert(operation(3, uuid(1)), lock)],
    ['write into the journal', (store, lock) => store.journal.put(uuid(1), 'boot', 'files', ['late'], lock)],
    ['delete from the journal', (store, lock) => store.journal.delete(uuid(1), 'boot', 'kept', lock)],
    ['record attachments', (store, lock) => store.attachments.replace(uuid(1), [], lock)],
  ];
  it.each(writes)('cannot %s', async (_what, write) => {
    const { store, lock } = await lockedNode();
    await store.volumeTargets.insert(target(2, uuid(1)));
    await store.journal.put(uuid(1), 'boot', 'kept', true);
    await store.locks.acquire(uuid(1), 'conductor-1', 60_000, true);
    await expect(write(store, lock)).rejects.toMatchObject({ code: 'LOCK_LOST' });
  });

  it.each(writes)('could %s before', async (_what, write) => {
    const { store, lock } = await lockedNode();
    await store.volumeTargets.insert(target(2, uuid(1)));
    await store.journal.put(uuid(1), 'boot', 'kept', true);
    await expect(write(store, lock)).resolves.not.toThrow();
  });
});

import { describe, expect, it } from 'vitest';
import { node, operation, temporaryStore, uuid } from './records.ts';

describe('the operations of a node', () => {
  it('are kept up to a number, the newest and the open ones', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    const lock = await store.locks.acquire(uuid(1), 'conductor-1', 60_000);
    if (lock === undefined) throw new Error('the node was not locked');
    await store.operations.insert(operation(1000, uuid(1)), lock);
    for (let number = 1; number <= 110; number += 1) {
      await store.operations.insert({ ...operation(number, uuid(1)), state: 'succeeded' }, lock);
    }
    const kept = await store.operations.listOfNode(uuid(1), 1000);
    expect(kept.length).toBe(101);
    expect(kept[0]?.uuid).toBe(uuid(110));
    expect((await store.operations.listOpen()).map((open) => open.uuid)).toEqual([uuid(1000)]);
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { node, temporaryStore, uuid } from './records.ts';

describe('a transaction', () => {
  it('keeps all of its writes', async () => {
    const store = await temporaryStore();
    await store.transaction(async (transaction) => {
      await transaction.nodes.insert(node(1));
      await transaction.nodes.update(uuid(1), { lastError: 'seen' });
    });
    expect((await store.nodes.find(uuid(1)))?.lastError).toBe('seen');
  });

  it('takes all of its writes back when the work fails', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    const work = store.transaction(async (transaction) => {
      await transaction.nodes.insert(node(2));
      await transaction.nodes.insert(node(1));
    });
    await expect(work).rejects.toMatchObject({ code: 'DUPLICATE' });
    expect(await store.nodes.list({ filter: {} })).toHaveLength(1);
  });

  it('lets nothing from outside come between its writes', async () => {
    const store = await temporaryStore();
    const order: string[] = [];
    const first = store.transaction(async (transaction) => {
      await transaction.nodes.insert(node(1));
      await nextTurn();
      await transaction.nodes.delete(uuid(1));
      order.push('transaction');
    });
    const outside = store.nodes.find(uuid(1)).then((found) => order.push(`outside: ${found === undefined}`));
    const second = store.transaction(async (transaction) => {
      await transaction.nodes.insert(node(2));
      order.push('second transaction');
    });
    await Promise.all([first, outside, second]);
    expect(order).toEqual(['transaction', 'outside: true', 'second transaction']);
  });

  it('is part of the one that it begins in', async () => {
    const store = await temporaryStore();
    const work = store.transaction(async (outer) => {
      await outer.transaction((inner) => inner.nodes.insert(node(1)));
      throw new Error('the outer work fails');
    });
    await expect(work).rejects.toThrow('the outer work fails');
    expect(await store.nodes.find(uuid(1))).toBeUndefined();
  });

  it('ends before the store closes', async () => {
    const store = await temporaryStore();
    const work = store.transaction(async (transaction) => {
      await nextTurn();
      await transaction.nodes.insert(node(1));
    });
    await store.close();
    await expect(work).resolves.toBeUndefined();
  });
});

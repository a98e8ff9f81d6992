import type { Store } from '../src/index.ts';

/** Adds to a number in a node's record, each time in a transaction that reads it first. */
export async function count(store: Store, nodeUuid: string, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await store.transaction(async ({ nodes }) => {
      const extra = (await nodes.find(nodeUuid))?.extra ?? {};
      await nodes.update(nodeUuid, { extra: { count: Number(extra['count'] ?? 0) + 1 } });
    });
  }
}

import { describe, expect, it } from 'vitest';
import { node, temporaryStore, uuid } from './records.ts';

describe('the node table', () => {
  it('gives back what was inserted', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1, { extra: { rack: 7, tags: ['a', null, true] } }));
    expect(await store.nodes.find(uuid(1))).toEqual(
      node(1, { extra: { rack: 7, tags: ['a', null, true] }, createdAt: expect.any(String) }),
    );
  });

  it('finds a node by its name', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    expect((await store.nodes.findByName('node-1'))?.uuid).toBe(uuid(1));
    expect(await store.nodes.findByName('node-2')).toBeUndefined();
  });

  it('lists uuids in the order of creation, and counts nodes by their state', async () => {
    const store = await temporaryStore();
    for (const number of [3, 1, 2]) await store.nodes.insert(node(number));
    await store.nodes.update(uuid(1), { provisionState: 'active' });
    expect(await store.nodes.uuids()).toEqual([uuid(3), uuid(1), uuid(2)]);
    const others = (await store.nodes.find(uuid(2)))?.provisionState ?? 'active';
    expect(await store.nodes.countByProvisionState()).toEqual(
      new Map([
        ['active', 1],
        [others, 2],
      ]),
    );
  });

  it.each([
    ['uuid', node(1, { name: 'other' }), /UUID 00000000-0000-4000-8000-000000000001 already exists/],
    ['name', node(2, { name: 'node-1' }), /name node-1 already exists/],
    ['instance', node(2, { instanceUuid: uuid(9) }), /Instance .*9 is already associated/],
  ])('refuses a second node with the same %s', async (_field, second, message) => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1, { instanceUuid: uuid(9) }));
    await expect(store.nodes.insert(second)).rejects.toMatchObject({
      code: 'DUPLICATE',
      message: expect.stringMatching(message),
    });
  });

  it('replaces the given fields of an update and no others', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1, { extra: { a: 1 } }));
    await store.nodes.update(uuid(1), { maintenance: true });
    const updated = await store.nodes.update(uuid(1), { extra: { b: null }, lastError: 'broken' });
    expect(updated).toMatchObject({ maintenance: true, extra: { b: null }, lastError: 'broken', name: 'node-1' });
    expect(updated.extra).toEqual({ b: null });
  });

  it('says which node an update could not find', async () => {
    const store = await temporaryStore();
    await expect(store.nodes.update(uuid(1), { maintenance: true })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(uuid(1)),
    });
  });

  it('filters by every field that the API can ask for', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(
      node(1, {
        instanceUuid: uuid(9),
        driver: 'redfish',
        provisionState: 'active',
        owner: 'p1',
        description: 'the "left" one',
      }),
    );
    await store.nodes.insert(
      node(2, { maintenance: true, retired: true, lessee: 'p1', resourceClass: 'big', fault: 'power failure' }),
    );
    await store.nodes.insert(node(3, { conductorGroup: 'east', chassisUuid: uuid(8), conductor: 'conductor-2' }));
    const matching = async (filter: object) => (await store.nodes.list({ filter })).map(({ name }) => name);
    expect(await matching({ instanceUuid: uuid(9) })).toEqual(['node-1']);
    expect(await matching({ associated: false })).toEqual(['node-2', 'node-3']);
    expect(await matching({ maintenance: true })).toEqual(['node-2']);
    expect(await matching({ maintenance: false })).toEqual(['node-1', 'node-3']);
    expect(await matching({ retired: true })).toEqual(['node-2']);
    expect(await matching({ provisionState: 'active', driver: 'redfish' })).toEqual(['node-1']);
    expect(await matching({ resourceClass: 'big', fault: 'power failure' })).toEqual(['node-2']);
    expect(await matching({ project: 'p1' })).toEqual(['node-1', 'node-2']);
    expect(await matching({ owner: 'p1' })).toEqual(['node-1']);
    expect(await matching({ lessee: 'p1' })).toEqual(['node-2']);
    expect(await matching({ conductorGroup: 'east', chassisUuid: uuid(8), conductor: 'conductor-2' })).toEqual([
      'node-3',
    ]);
    expect(await matching({ descriptionContains: '"left"' })).toEqual(['node-1']);
  });

  it.each([
    [undefined, 'asc'],
    ['name', 'asc'],
    ['name', 'desc'],
    ['resourceClass', 'asc'],
    ['resourceClass', 'desc'],
    ['maintenance', 'desc'],
  ] as const)('gives every node once when it is read page by page, sorted by %s %s', async (sortKey, sortDirection) => {
    const store = await temporaryStore();
    for (let number = 1; number <= 7; number += 1) {
      await store.nodes.insert(
        node(number, { resourceClass: number % 3 === 0 ? null : `class-${number % 2}`, maintenance: number % 2 === 0 }),
      );
    }
    const sorting = { sortDirection, ...(sortKey === undefined ? {} : { sortKey }) };
    const all = (await store.nodes.list({ filter: {}, ...sorting })).map(({ name }) => name);
    const paged: (string | null)[] = [];
    for (let marker: string | undefined; ;) {
      const page = await store.nodes.list({
        filter: {},
        ...sorting,
        limit: 2,
        ...(marker === undefined ? {} : { marker }),
      });
      if (page.length === 0) break;
      paged.push(...page.map(({ name }) => name));
      marker = page.at(-1)?.uuid;
    }
    expect(paged).toEqual(all);
    expect(new Set(all).size).toBe(7);
  });

  it('refuses a marker that does not exist and a sort key that is no field', async () => {
    const store = await temporaryStore();
    await expect(store.nodes.list({ filter: {}, marker: uuid(5) })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.nodes.list({ filter: {}, sortKey: "name') --" })).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
    });
  });

  it('shows who holds the lock as the reservation', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    const lock = await store.locks.acquire(uuid(1), 'conductor-1', 1000);
    expect((await store.nodes.find(uuid(1)))?.reservation).toBe('conductor-1');
    if (lock !== undefined) await store.locks.release(lock);
    expect((await store.nodes.list({ filter: {} }))[0]?.reservation).toBeNull();
  });

  it('takes everything that belongs to a node with it when it is deleted', async () => {
    const store = await temporaryStore();
    await store.nodes.insert(node(1));
    await store.journal.put(uuid(1), 'boot', 'files', ['a']);
    await store.nodes.delete(uuid(1));
    expect(await store.journal.get(uuid(1), 'boot', 'files')).toBeUndefined();
  });
});

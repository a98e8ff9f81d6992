import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLogger } from '@ironbark/core';
import { expect, it, vi } from 'vitest';
import { createLab } from './fixture.ts';

/** An engine that compares all the time; its warnings, and a way to wait for comparisons that begin from now on. */
async function checkingLab(reconcileIntervalMs = 1) {
  const lines: string[] = [];
  const log = { ...silentLogger, warn: (_facts: object, message: string) => void lines.push(message) };
  const lab = await createLab({ log, reconcileIntervalMs, lockWaitMs: 0 });
  const { uuid } = await lab.engine.nodes.create({ driver: 'test', interfaces: { storage: 'books' } });
  let compared = 0;
  lab.engine.hooks.storageCompared.tap('test', () => void (compared += 1));
  const checks = async () => {
    const enough = compared + 3;
    await vi.waitFor(() => expect(compared).toBeGreaterThanOrEqual(enough), { interval: 1 });
  };
  return { lab, uuid, lines, checks };
}

it('the periodic comparison tells once of what it finds, again when there is more, and repairs nothing', async () => {
  const { lab, uuid, lines, checks } = await checkingLab();
  lab.books.held.set(uuid, ['one']);
  await lab.engine.start();
  await checks();
  expect(lines).toEqual(['storage and records disagree: Volume one is leaked.']);
  lab.books.held.set(uuid, ['one', 'two']);
  await checks();
  expect(lines.slice(1)).toEqual(['storage and records disagree: Volume two is leaked.']);
  expect(lab.books.heldFor(uuid)).toEqual(['one', 'two']);
});

it('a finding that was gone is told of again', async () => {
  const { lab, uuid, lines, checks } = await checkingLab();
  lab.books.held.set(uuid, ['one']);
  await lab.engine.start();
  await checks();
  lab.books.held.clear();
  await checks();
  lab.books.held.set(uuid, ['one']);
  await checks();
  expect(lines).toHaveLength(2);
});

it('a node that was locked in between is not told of again', async () => {
  const { lab, uuid, lines, checks } = await checkingLab();
  lab.books.held.set(uuid, ['one']);
  await lab.engine.start();
  await checks();
  const lock = await vi.waitUntil(() => lab.store.locks.acquire(uuid, 'somebody', 60_000), { interval: 0 });
  await checks();
  await lab.store.locks.release(lock);
  await checks();
  expect(lines).toHaveLength(1);
});

it('a service that does not answer is told of once', async () => {
  const { lab, lines, checks } = await checkingLab();
  lab.books.unreachable = true;
  await lab.engine.start();
  await checks();
  expect(lines).toEqual([
    'a node could not be compared with its storage',
    'volumes of unknown nodes could not be looked for',
  ]);
});

it('no comparison happens with an interval of 0, or after the engine has stopped', async () => {
  const { lab } = await checkingLab(0);
  const compare = vi.fn<() => void>();
  lab.books.onCompare = compare;
  await lab.engine.start();
  await lab.engine.stop(0);
  const again = lab.restart({ reconcileIntervalMs: 1 });
  await again.start();
  await vi.waitFor(() => expect(compare).toHaveBeenCalled(), { interval: 1 });
  await again.stop(0);
  compare.mockClear();
  for (let i = 0; i < 20; i += 1) await nextTurn();
  expect(compare).not.toHaveBeenCalled();
});

import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLogger, type Logger, type Node, type PowerTarget } from '@ironbark/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { activeNode, createLab, type Lab } from './fixture.ts';

const minute = 60_000;

/** One look at all nodes, a minute after the one before, and the end of what it has begun. */
async function look(lab: Lab, laterMs = minute): Promise<void> {
  vi.setSystemTime(Date.now() + laterMs);
  await lab.engine.syncPowerStates();
  await lab.engine.idle();
}

/** A node without volumes. */
async function plainNode(lab: Lab, changes: Partial<Node> = {}): Promise<string> {
  const { uuid } = await lab.engine.nodes.create({ driver: 'test' });
  await lab.store.nodes.update(uuid, { provisionState: 'available', powerState: 'power off', ...changes });
  return uuid;
}

function recordedLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (_facts: object, message: string) => void lines.push(`${level} ${message}`);
  const log: Logger = {
    ...silentLogger,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return { log, lines };
}

afterEach(() => void vi.useRealTimers());

describe('a look at the power states', () => {
  it('corrects a record that is wrong, and tells from which state', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab);
    const events: unknown[] = [];
    lab.engine.events.subscribe(({ type, data }) => void (type === 'power_state.corrected' && events.push(data)));
    lab.powerStates.set(uuid, 'power on');
    await look(lab);
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ powerState: 'power on', reservation: null });
    expect(lab.published).toMatchObject([
      {
        eventType: 'baremetal.node.power_state_corrected.success',
        priority: 'INFO',
        payload: {
          name: 'NodeCorrectedPowerStatePayload',
          data: { uuid, power_state: 'power on', from_power: 'power off' },
        },
      },
    ]);
    expect(events).toEqual([{ from_power: 'power off', power_state: 'power on' }]);
    await look(lab);
    expect(lab.published).toHaveLength(1);
  });

  it('records a state that was never known without calling it a correction', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, { powerState: null });
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
    expect(lab.notifications).toEqual([]);
  });

  it.each([
    ['in maintenance', { maintenance: true }],
    ['in enroll', { provisionState: 'enroll' }],
  ] as const)('leaves a node alone that is %s', async (_case, changes) => {
    const lab = await createLab();
    const uuid = await plainNode(lab, changes);
    lab.powerStates.set(uuid, 'power on');
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
  });

  it('leaves a node alone that somebody works on, but not one whose holder has died', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab);
    lab.powerStates.set(uuid, 'power on');
    await lab.store.locks.acquire(uuid, 'somebody', 2 * minute);
    const asked = vi.fn<() => void>();
    lab.onLook = asked;
    await look(lab);
    expect(asked).not.toHaveBeenCalled();
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
    await lab.store.locks.renew('somebody', -1);
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power on');
  });

  it('leaves the nodes of another conductor alone while that one lives', async () => {
    const lab = await createLab({ lockLeaseMs: 1.5 * minute });
    const uuid = await plainNode(lab, { conductor: 'conductor-2' });
    lab.powerStates.set(uuid, 'power on');
    await lab.store.conductors.touch('conductor-2', '', []);
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power on');
  });

  it('does not overwrite what a power action has done since the machine was asked', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, { powerState: 'power on' });
    lab.powerStates.set(uuid, 'power off');
    let looks = 0;
    lab.onLook = () => {
      looks += 1;
      // The answer to the first look is old when the record is about to be corrected.
      if (looks === 2) lab.powerStates.set(uuid, 'power on');
    };
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power on');
    expect(lab.notifications).toEqual([]);
  });

  it('tells once of a machine that does not answer, once more when it answers again, and counts each failure', async () => {
    const { log, lines } = recordedLog();
    const lab = await createLab({ log });
    const uuid = await plainNode(lab);
    const failures: string[] = [];
    lab.engine.hooks.powerSyncFailed.tap('test', (node, reason) => void failures.push(`${node.uuid} ${reason}`));
    lab.failing.add('get power state');
    await look(lab);
    await look(lab);
    lab.failing.clear();
    await look(lab);
    await look(lab);
    expect(lines).toEqual(['warn the power state could not be read', 'info the power state can be read again']);
    expect(failures).toEqual(Array.from({ length: 2 }, () => `${uuid} The BMC does not answer.`));
  });

  it('takes a BMC that does not say whether the machine is on for one that does not answer', async () => {
    const { log, lines } = recordedLog();
    const lab = await createLab({ log });
    const uuid = await plainNode(lab);
    lab.powerStates.set(uuid, 'error');
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
    expect([lab.notifications, lines]).toEqual([[], ['warn the power state could not be read']]);
    lab.powerStates.set(uuid, 'power on');
    lab.onLook = () => {
      // At the second look, with the node locked.
      lab.onLook = () => void lab.powerStates.set(uuid, 'error');
    };
    await look(lab);
    expect((await lab.engine.nodes.get(uuid)).powerState).toBe('power off');
  });

  it('says nothing of a node that was deleted meanwhile', async () => {
    const { log, lines } = recordedLog();
    const lab = await createLab({ log });
    const uuid = await plainNode(lab, { powerState: 'power on' });
    lab.onLook = () => lab.store.nodes.delete(uuid);
    await look(lab);
    expect(lines).toEqual([]);
  });

  it('tells once of a node whose driver is not there any more', async () => {
    const { log, lines } = recordedLog();
    const lab = await createLab({ log });
    await plainNode(lab, { driver: 'gone' });
    await look(lab);
    await look(lab);
    expect(lines).toEqual(['warn the power state could not be read']);
  });

  it('asks no more machines at a time than it may', async () => {
    const lab = await createLab({ syncPowerStateWorkers: 3 });
    for (let i = 0; i < 12; i += 1) await plainNode(lab);
    let [asked, most, all] = [0, 0, 0];
    lab.onLook = async () => {
      asked += 1;
      all += 1;
      most = Math.max(most, asked);
      await nextTurn();
      asked -= 1;
    };
    await look(lab);
    expect([most, all]).toEqual([3, 12]);
  });

  it('lets others work while it goes over a thousand nodes', async () => {
    const lab = await createLab();
    const node = await lab.engine.nodes.get(await plainNode(lab));
    await lab.store.transaction(async ({ nodes }) => {
      for (let i = 0; i < 1000; i += 1) await nodes.insert({ ...node, uuid: randomUUID() });
    });
    let turns = 0;
    const count = () => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await lab.engine.syncPowerStates();
    clearImmediate(immediate);
    expect(turns).toBeGreaterThan(100);
  });
});

describe('the volumes of an active machine', () => {
  it('are detached when it is off at two looks in a row', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    expect(lab.calls).toEqual([]);
    await look(lab);
    expect(lab.calls).toEqual(['detach']);
    expect(await lab.store.attachments.list(uuid)).toEqual([]);
    expect(lab.notifications).toEqual([
      'baremetal.node.power_state_corrected.success',
      'baremetal.node.storage_detach.start',
      'baremetal.node.storage_detach.end',
    ]);
    await look(lab);
    expect(lab.calls).toEqual(['detach']);
  });

  it.each<readonly [string, (lab: Lab, uuid: string) => unknown]>([
    ['runs again', (lab, uuid) => lab.powerStates.set(uuid, 'power on')],
    ['does not tell its state', (lab) => lab.failing.add('get power state')],
    ['is in maintenance', (lab, uuid) => lab.engine.nodes.setMaintenance(uuid, true, null)],
    ['is worked on', (lab, uuid) => lab.store.locks.acquire(uuid, 'somebody', 1.5 * minute)],
  ])('stay when it was off for a moment, before and after a look at which it %s', async (_case, interrupt) => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    await interrupt(lab, uuid);
    await look(lab);
    lab.powerStates.set(uuid, 'power off');
    lab.failing.clear();
    await lab.engine.nodes.setMaintenance(uuid, false, null);
    await look(lab);
    expect(lab.calls).toEqual([]);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
  });

  it('stay while it restarts, however often it is looked at', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    for (let seconds = 0; seconds <= 40; seconds += 5) await look(lab, 5000);
    expect(lab.calls).toEqual([]);
  });

  it('stay when it is off for a moment after it was powered on by a request', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    await look(lab);
    await lab.engine.power.request(uuid, 'power on', null);
    await lab.engine.idle();
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    expect(lab.calls).not.toContain('detach');
  });

  it('are attached, and its script is written anew, when it runs without them', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    lab.powerStates.set(uuid, 'power on');
    await look(lab);
    expect(lab.calls).toEqual(['attach', 'write boot files']);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ powerState: 'power on', provisionState: 'active' });
    const [operation] = await lab.engine.operations.list(uuid, 1);
    expect(operation).toMatchObject({ verb: 'attach', state: 'succeeded' });
    await look(lab);
    expect(lab.calls).toHaveLength(2);
  });

  it('are not touched when the power has changed back before the operation begins', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    lab.engine.hooks.operationStarted.tap('somebody', () => void lab.powerStates.set(uuid, 'power on'));
    await look(lab);
    const [operation] = await lab.engine.operations.list(uuid, 1);
    expect(operation).toMatchObject({ verb: 'detach', state: 'succeeded' });
    expect(operation?.steps.map(({ state }) => state)).toEqual(['succeeded', 'skipped']);
    expect(lab.calls).toEqual([]);
  });

  it.each([
    ['its storage does not follow the power', { storage: 'sticky' }, {}],
    ['it is not active any more', {}, { provisionState: 'rescue' }],
    ['it is in maintenance', {}, { maintenance: true }],
  ] as const)('stay as they are when %s', async (_case, interfaces, changes) => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on', interfaces);
    await lab.store.nodes.update(uuid, changes);
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    await look(lab);
    expect(lab.calls).toEqual([]);
  });

  it('stay as they are when it comes into maintenance during the look', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    lab.powerStates.set(uuid, 'power on');
    lab.onLook = () => lab.engine.nodes.setMaintenance(uuid, true, 'fan');
    await look(lab);
    expect(lab.calls).toEqual([]);
  });

  it('are tried again after a time that doubles, and the failure is in last_error until it is solved', async () => {
    vi.setSystemTime(-minute);
    const lab = await createLab({ syncPowerStateIntervalMs: minute });
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    lab.failing.add('detach');
    const attempts: number[] = [];
    lab.onCall = (call) => void (call === 'detach' && attempts.push(Date.now() / minute));
    for (let now = 0; now <= 30; now += 1) await look(lab);
    expect(attempts).toEqual([1, 3, 7, 15]);
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({
      provisionState: 'active',
      lastError:
        'Failed to detach the volumes of the machine, which was found powered off: Step storage.detach failed: detach failed.',
    });
    expect(await lab.engine.nodes.history(uuid)).toHaveLength(4);
    lab.failing.clear();
    await look(lab);
    expect(attempts.at(-1)).toBe(31);
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ lastError: null });
  });

  it('are attached again when it runs after a detachment that has failed half-way', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('detach');
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    lab.powerStates.set(uuid, 'power on');
    await look(lab);
    expect(lab.calls).toEqual(['power off', 'attach', 'write boot files']);
    expect((await lab.engine.nodes.get(uuid)).lastError).toBeNull();
    await look(lab);
    expect(lab.calls).toHaveLength(3);
  });

  it('are released when a power off could not do it, and then last_error is cleared', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('detach');
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    expect((await lab.engine.nodes.get(uuid)).lastError).toContain('detach failed');
    lab.failing.clear();
    await look(lab);
    await look(lab);
    expect(lab.calls).toEqual(['power off', 'detach']);
    expect((await lab.engine.nodes.get(uuid)).lastError).toBeNull();
  });

  it('leave the error of somebody else in last_error', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    await lab.store.nodes.update(uuid, { lastError: 'The machine could not boot.' });
    lab.powerStates.set(uuid, 'power on');
    await look(lab);
    expect(lab.calls).toContain('attach');
    expect((await lab.engine.nodes.get(uuid)).lastError).toBe('The machine could not boot.');
  });

  it('are not detached at every look when the storage driver keeps notes of them', async () => {
    const lab = await createLab({ syncPowerStateIntervalMs: minute });
    const uuid = await activeNode(lab, 'power off');
    await lab.store.journal.put(uuid, 'storage', 'note', 'kept');
    for (let i = 0; i < 3; i += 1) await look(lab);
    expect(lab.calls).toEqual(['detach']);
  });

  it('leave half of the workers to requests when many machines lose their power at once', async () => {
    const lab = await createLab({ workers: 4 });
    const uuids = [];
    for (let i = 0; i < 5; i += 1) uuids.push(await plainNode(lab, { provisionState: 'active' }));
    await look(lab);
    for (const uuid of uuids) await lab.store.journal.put(uuid, 'storage', 'attachment', 'id');
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.onCall = () => released;
    vi.setSystemTime(Date.now() + minute);
    await lab.engine.syncPowerStates();
    const open = await lab.store.operations.listOpen();
    expect(open.map(({ verb }) => verb)).toEqual(['detach', 'detach']);
    release();
    await lab.engine.idle();
  });

  it('are detached after a restart that came in between', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.powerStates.set(uuid, 'power off');
    await look(lab);
    vi.setSystemTime(Date.now() + minute);
    const { promise: asked, resolve: begun } = Promise.withResolvers<void>();
    lab.onCall = (_call, { signal }) => {
      begun();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await lab.engine.syncPowerStates();
    await asked;
    await lab.engine.stop(0);
    lab.onCall = undefined;
    const restarted = lab.restart();
    await restarted.start();
    await restarted.idle();
    expect(lab.calls).toEqual(['detach']);
    expect((await restarted.operations.list(uuid, 1))[0]).toMatchObject({ verb: 'detach', state: 'succeeded' });
    await restarted.stop(0);
  });

  it('never change while a request works on the node', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    let [busy, most] = [0, 0];
    lab.onCall = async () => {
      busy += 1;
      most = Math.max(most, busy);
      await nextTurn();
      busy -= 1;
    };
    const requestLater = async (turns: number, target: PowerTarget) => {
      for (let i = 0; i < turns; i += 1) await nextTurn();
      await lab.engine.power.request(uuid, target, null);
    };
    for (let i = 0; i < 40; i += 1) {
      vi.setSystemTime(Date.now() + minute);
      lab.powerStates.set(uuid, i % 4 < 2 ? 'power off' : 'power on');
      const target = i % 3 === 0 ? 'power off' : 'power on';
      const requests = i % 5 === 0 ? [requestLater(i % 7, target)] : [];
      await Promise.allSettled([lab.engine.syncPowerStates(), ...requests, lab.engine.syncPowerStates()]);
      await lab.engine.idle();
    }
    const operations = await lab.engine.operations.list(uuid, 100);
    expect(most).toBe(1);
    expect(operations.filter(({ state }) => state !== 'succeeded')).toEqual([]);
    expect(operations.map(({ verb }) => verb)).toEqual(
      expect.arrayContaining(['attach', 'detach', 'power on', 'power off']),
    );
  });
});

describe('the periodic look', () => {
  it('goes on until the engine stops', async () => {
    const lab = await createLab({ syncPowerStateIntervalMs: 1 });
    const uuid = await plainNode(lab);
    await lab.engine.start();
    for (const state of ['power on', 'power off'] as const) {
      lab.powerStates.set(uuid, state);
      await expect.poll(async () => (await lab.engine.nodes.get(uuid)).powerState).toBe(state);
    }
    await lab.engine.stop(0);
    const asked = vi.fn<() => void>();
    lab.onLook = asked;
    for (let i = 0; i < 20; i += 1) await nextTurn();
    expect(asked).not.toHaveBeenCalled();
  });

  it('is broken off when the engine stops, although a machine does not answer', async () => {
    const { log, lines } = recordedLog();
    const lab = await createLab({ syncPowerStateIntervalMs: 1, log });
    await plainNode(lab);
    const { promise: asked, resolve: begun } = Promise.withResolvers<void>();
    lab.onLook = ({ signal }) => {
      begun();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await lab.engine.start();
    await asked;
    await lab.engine.stop(60_000);
    expect(lines).toEqual([]);
  });

  it('goes on for the others while machines do not answer', async () => {
    const lab = await createLab({ syncPowerStateIntervalMs: 1, syncPowerStateWorkers: 2 });
    const silent = new Set([await plainNode(lab), await plainNode(lab), await plainNode(lab)]);
    const uuid = await plainNode(lab);
    const { promise: allFailed, resolve: fail } = Promise.withResolvers<void>();
    const failed = new Set<string>();
    lab.engine.hooks.powerSyncFailed.tap('test', (node) => {
      failed.add(node.uuid);
      if (failed.size === silent.size) fail();
    });
    let hangs = false;
    lab.onLook = ({ node, signal }) => {
      if (!silent.has(node.uuid)) return undefined;
      if (!hangs) throw new Error('The BMC does not answer.');
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await lab.engine.start();
    await allFailed;
    hangs = true;
    for (const state of ['power on', 'power off', 'power on', 'power off'] as const) {
      lab.powerStates.set(uuid, state);
      await expect
        .poll(async () => (await lab.engine.nodes.get(uuid)).powerState, { interval: 1, timeout: 4000 })
        .toBe(state);
    }
  });

  it('does not happen with an interval of 0', async () => {
    const lab = await createLab({ syncPowerStateIntervalMs: 0 });
    await plainNode(lab);
    const asked = vi.fn<() => void>();
    lab.onLook = asked;
    await lab.engine.start();
    for (let i = 0; i < 20; i += 1) await nextTurn();
    expect(asked).not.toHaveBeenCalled();
  });
});

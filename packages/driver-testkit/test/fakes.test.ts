import { definePlugin, isIronbarkError, Secret, type InfoValue } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import {
  createNodeRecords,
  createTask,
  MemoryJournal,
  MemoryPower,
  RecordingLogger,
  setUpPlugin,
  SteppedClock,
} from '../src/fakes.ts';

describe('createNodeRecords', () => {
  it('gives two nodes nothing in common', () => {
    const [first, second] = [0, 1].map((number) => {
      const { node, ports, volumeConnectors, volumeTargets } = createNodeRecords({ number, volumes: 2 });
      const uuids = [node, ...ports, ...volumeConnectors, ...volumeTargets].map(({ uuid }) => uuid);
      const addresses = ports.map((port) => port.address);
      return uuids.concat(
        addresses,
        volumeTargets.map((target) => target.volumeId),
      );
    });
    expect(first?.filter((identifier) => second?.includes(identifier))).toEqual([]);
    expect(new Set(first).size).toBe(first?.length);
  });

  it('orders targets by boot index and against their uuids', () => {
    const { volumeTargets } = createNodeRecords({ volumes: 3 });
    expect(volumeTargets.map(({ bootIndex }) => bootIndex)).toEqual([0, 1, 2]);
    expect(volumeTargets.toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))).toEqual(volumeTargets.toReversed());
  });
});

describe('createTask', () => {
  it('takes every part from the caller', () => {
    const node = createNodeRecords({ number: 7 }).node;
    expect(createTask({ node }).node).toBe(node);
  });
});

describe('MemoryJournal', () => {
  it('keeps a copy of what was written', async () => {
    const journal = new MemoryJournal();
    const note = { volumes: ['a'] };
    await journal.put('note', note);
    note.volumes.push('b');
    expect(await journal.get('note')).toEqual({ volumes: ['a'] });
  });

  it('keeps secrets as secrets', async () => {
    const journal = new MemoryJournal();
    await journal.put('note', { password: Secret.of('hidden') });
    expect(JSON.stringify(await journal.get('note'))).toBe('{"password":"******"}');
  });

  it.each([new Map(), new Date(0), () => {}, Number.NaN])('refuses a value that is no JSON: %s', async (value) => {
    const put = new MemoryJournal().put('note', { value } as unknown as InfoValue);
    await expect(put).rejects.toThrow(TypeError);
  });

  it('fails with LOCK_LOST and keeps the note when the lock is lost', async () => {
    const journal = new MemoryJournal();
    await journal.put('note', 1);
    journal.loseLock();
    await expect(journal.put('note', 2)).rejects.toSatisfy((error) => isIronbarkError(error, 'LOCK_LOST'));
    await expect(journal.delete('note')).rejects.toSatisfy((error) => isIronbarkError(error, 'LOCK_LOST'));
    expect(await journal.get('note')).toBe(1);
  });
});

describe('SteppedClock', () => {
  it('wakes who slept long enough, in the order of their time', async () => {
    const clock = new SteppedClock();
    const woken: number[] = [];
    const sleeps = [30, 10, 20].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
    clock.advance(25);
    expect(clock.sleeping).toBe(1);
    clock.advance(5);
    await Promise.all(sleeps);
    expect(woken).toEqual([10, 20, 30]);
  });

  it('ends a sleep with the reason of an aborted signal', async () => {
    const clock = new SteppedClock();
    const controller = new AbortController();
    const sleep = clock.sleep(10, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    expect(clock.sleeping).toBe(0);
  });

  it('runs by itself when it is free', async () => {
    const clock = new SteppedClock({ freeRunning: true });
    await clock.sleep(1000);
    expect(clock.now()).toBe(1000);
  });
});

describe('RecordingLogger', () => {
  it('keeps lines of children with their bindings', () => {
    const log = new RecordingLogger();
    log.child({ node: 'n' }).warn({ port: 1 }, 'said');
    expect(log.lines).toEqual([{ level: 'warn', facts: { node: 'n', port: 1 }, message: 'said' }]);
  });
});

describe('setUpPlugin', () => {
  const power = new MemoryPower();

  it('collects drivers under their ids', async () => {
    const plugin = definePlugin({
      setup(host) {
        host.power.register('outlet', power);
        host.hardware.register('outlet', { interfaces: { power: ['outlet'] } });
      },
    });
    const { drivers, driver, hardwareType } = await setUpPlugin(plugin);
    expect([...drivers.keys()]).toEqual(['power:outlet', 'hardware:outlet']);
    expect(driver('power', 'outlet')).toBe(power);
    expect(hardwareType('outlet').interfaces.power).toEqual(['outlet']);
    expect(() => driver('boot', 'outlet')).toThrow('power:outlet, hardware:outlet');
  });

  it('refuses a driver that is registered twice', async () => {
    const plugin = definePlugin({
      setup(host) {
        host.power.register('outlet', power);
        host.power.register('outlet', power);
      },
    });
    await expect(setUpPlugin(plugin)).rejects.toThrow('power:outlet twice');
  });

  it('provides the named services and no others', async () => {
    const token = { name: 'tree', create: () => 'made by the plugin' };
    const plugin = definePlugin({
      async setup(host) {
        host.log.info({ service: await host.use(token) }, 'service');
      },
    });
    const log = new RecordingLogger();
    await setUpPlugin(plugin, { services: { tree: 'given' }, log });
    expect(log.lines[0]?.facts).toEqual({ service: 'given' });
    await expect(setUpPlugin(plugin)).rejects.toThrow('service tree');
  });

  it('disposes the last first', async () => {
    const order: string[] = [];
    const plugin = definePlugin({
      setup(host) {
        host.onShutdown(() => void order.push('first'));
        host.onShutdown(() => void order.push('second'));
      },
    });
    await (await setUpPlugin(plugin)).shutDown();
    expect(order).toEqual(['second', 'first']);
  });
});

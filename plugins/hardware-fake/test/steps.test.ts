import { createNodeRecords, SteppedClock } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { MemoryStates } from '../src/memory-states.ts';
import { createFakes, taskWith } from './fixtures.ts';

const timeoutMs = 60_000;

/** Lets everything run that does not wait for the clock. */
async function untilAsleep(clock: SteppedClock): Promise<void> {
  for (let turn = 0; turn < 50 && clock.sleeping === 0; turn += 1) await Promise.resolve();
  expect(clock.sleeping).toBe(1);
}

describe('delays', () => {
  it('hold a step back for the time in the settings', async () => {
    const clock = new SteppedClock();
    const { power, machines } = createFakes({ delay_ms: 500 }, new MemoryStates(), clock);
    const task = taskWith({});
    const call = power.setPowerState(task, 'power on', timeoutMs);
    await untilAsleep(clock);
    clock.advance(499);
    expect((await machines.read(task.node)).powerState).toBe('power off');
    clock.advance(1);
    await call;
    expect((await machines.read(task.node)).powerState).toBe('power on');
  });

  it('of the node go before those of the settings', async () => {
    const clock = new SteppedClock({ freeRunning: true });
    const { deploy } = createFakes({ delay_ms: 500 }, new MemoryStates(), clock);
    await deploy.deploy(taskWith({ fake_delay_ms: '20' }));
    expect(clock.now()).toBe(20);
  });

  it('can be given to single steps, and the others keep the one of the settings', async () => {
    const clock = new SteppedClock({ freeRunning: true });
    const { deploy } = createFakes({ delay_ms: 500 }, new MemoryStates(), clock);
    const task = taskWith({ fake_delay_ms: { 'deploy.deploy': 3 } });
    await deploy.deploy(task);
    expect(clock.now()).toBe(3);
    await deploy.cleanUp(task);
    expect(clock.now()).toBe(503);
  });

  it('do not hold back what only reads, unless it is named', async () => {
    const clock = new SteppedClock({ freeRunning: true });
    const { power } = createFakes({ delay_ms: 500 }, new MemoryStates(), clock);
    await power.getPowerState(taskWith({ fake_delay_ms: 20 }));
    expect(clock.now()).toBe(0);
    await power.getPowerState(taskWith({ fake_delay_ms: { 'power.get_power_state': 7 } }));
    expect(clock.now()).toBe(7);
  });

  it('that are longer than the time limit of a power action end in POWER_STATE_FAILURE', async () => {
    const clock = new SteppedClock({ freeRunning: true });
    const { power, machines } = createFakes({ delay_ms: 500 }, new MemoryStates(), clock);
    const task = taskWith({});
    await expect(power.setPowerState(task, 'power on', 100)).rejects.toMatchObject({ code: 'POWER_STATE_FAILURE' });
    expect(clock.now()).toBe(100);
    expect((await machines.read(task.node)).powerState).toBe('power off');
  });

  it('end when the task is aborted', async () => {
    const { deploy } = createFakes({ delay_ms: 3_600_000 }, new MemoryStates(), systemClock);
    const controller = new AbortController();
    const call = deploy.deploy({ ...taskWith({}), signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('steps that fail', () => {
  it.each([
    ['power.on', ['power.on']],
    ['power.on', 'management, power'],
  ])('%s fails when the node names %j, and changes nothing', async (step, value) => {
    const { power, machines } = createFakes();
    const task = taskWith({ fake_fail: value });
    await expect(power.setPowerState(task, 'power on', timeoutMs)).rejects.toThrow(`Step ${step}`);
    expect((await machines.read(task.node)).powerState).toBe('power off');
  });

  it('leave other steps alone', async () => {
    const { power, machines } = createFakes();
    const task = taskWith({ fake_fail: ['power.off', 'boot'] });
    await power.setPowerState(task, 'power on', timeoutMs);
    expect((await machines.read(task.node)).powerState).toBe('power on');
  });

  it.each(['power', 'management', 'boot', 'deploy'] as const)('can be the validation of %s', async (kind) => {
    const fakes = createFakes();
    const call = fakes[kind].validate(taskWith({ fake_fail: [`${kind}.validate`] }));
    await expect(call).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

describe('the failure rate', () => {
  async function outcomes(seed: number, failure_rate: number, order: readonly number[]) {
    const { deploy } = createFakes({ seed, failure_rate });
    const failed: string[] = [];
    for (const number of order) {
      const { node } = createNodeRecords({ number });
      for (const attempt of [1, 2]) {
        await deploy.deploy({ ...taskWith({}), node }).catch(() => failed.push(`${node.uuid}/${attempt}`));
      }
    }
    return failed.sort();
  }
  const nodes = Array.from({ length: 500 }, (_, number) => number);

  it('fails the same attempts again, in whatever order the nodes come', async () => {
    const failed = await outcomes(1, 0.2, nodes);
    expect(await outcomes(1, 0.2, nodes.toReversed())).toEqual(failed);
  });

  it('fails about the share that is asked for', async () => {
    const { length } = await outcomes(1, 0.2, nodes);
    expect(length / 1000).toBeGreaterThan(0.17);
    expect(length / 1000).toBeLessThan(0.23);
  });

  it('fails other attempts with another seed', async () => {
    expect(await outcomes(2, 0.2, nodes)).not.toEqual(await outcomes(1, 0.2, nodes));
  });

  it('draws anew for every attempt', async () => {
    const failed = await outcomes(1, 0.5, nodes);
    const failedOnceOnly = nodes.filter((number) => {
      const { uuid } = createNodeRecords({ number }).node;
      return failed.filter((attempt) => attempt.startsWith(uuid)).length === 1;
    });
    expect(failedOnceOnly.length).toBeGreaterThan(200);
  });

  it('leaves steps alone that only read', async () => {
    const { power } = createFakes({ failure_rate: 1 });
    expect(await power.getPowerState(taskWith({}))).toBe('power off');
  });

  it('fails nothing at 0 and everything at 1', async () => {
    expect(await outcomes(1, 0, nodes)).toEqual([]);
    expect(await outcomes(1, 1, [0])).toHaveLength(2);
  });
});

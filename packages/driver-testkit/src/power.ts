import assert from 'node:assert/strict';
import { endsPoweredOn, powerTargets, type PowerInterface, type PowerTarget } from '@ironbark/core';
import { createNodeRecords, type NodeRecords } from './fakes/records.ts';
import { abortReason } from './fakes/task.ts';
import { withBench, type Bench } from './suite/bench.ts';
import type { Fixture, Harness, TestRunner } from './suite/harness.ts';
import { rejected, rejectedByAbort, settled } from './suite/outcome.ts';
import { describeRecords } from './suite/records-suite.ts';

export type { Fixture, Harness, RefusedRecords, TestRunner } from './suite/harness.ts';

/**
 * - `ignores_soft_actions`: the operating system does not react to soft actions.
 * - `ignores_all_actions`: the BMC takes every action and nothing happens.
 * - `power_lost`: the machine is off, and nobody told the driver.
 * - `unreachable`: the BMC does not answer.
 * - `unauthorized`: the BMC refuses the credentials.
 */
export type PowerFault = 'ignores_soft_actions' | 'ignores_all_actions' | 'power_lost' | 'unreachable' | 'unauthorized';

type OnOff = 'power on' | 'power off';

export interface PowerOptions {
  /** One machine is wanted for each of these records. */
  readonly records: readonly NodeRecords[];
  /** State in which the machine of the same index begins. */
  readonly powerStates: readonly OnOff[];
}

/** What a machine really does, whatever the driver says. */
export interface ObservedMachine {
  readonly powerState: OnOff;
  /** How often it was started, from any moment on; null when the backend cannot tell. */
  readonly boots: number | null;
}

export interface PowerFixture extends Fixture<'power', PowerFault> {
  observe(records: NodeRecords): Promise<ObservedMachine> | ObservedMachine;
}

export type PowerHarness = Harness<PowerOptions, PowerFixture, PowerFault>;

type PowerBench = Bench<'power', PowerFault, PowerFixture>;

interface Context {
  readonly runner: TestRunner;
  readonly harness: PowerHarness;
  /** Runs a test with machines that begin in these states. */
  readonly use: (powerStates: readonly OnOff[], body: (bench: PowerBench) => Promise<void>) => Promise<void>;
  readonly has: (fault: PowerFault) => boolean;
}

const timeoutMs = 2000;
/** Long enough to be longer than anybody waits. */
const neverMs = 600_000;
const shortMs = 50;

/** Registers the conformance tests of a power interface. */
export function describePowerDriver(runner: TestRunner, harness: PowerHarness): void {
  const context: Context = {
    runner,
    harness,
    has: (fault) => harness.faults?.includes(fault) ?? false,
    use(powerStates, body) {
      const records = powerStates.map((powerState, number) => createNodeRecords({ number, node: { powerState } }));
      return withBench('power', harness, { records, powerStates }, body);
    },
  };
  runner.describe('power driver', () => {
    describePowerRecords(context);
    describeTargets(context);
    describeReading(context);
    describeLimits(context);
    describeAbort(context);
    describeUnreachable(context);
  });
}

function describePowerRecords({ runner, harness, use, has }: Context): void {
  describeRecords<PowerBench>({
    runner,
    refuses: harness.refuses ?? [],
    use: (body) => use(['power off'], body),
    observe: async (bench) => bench.fixture.observe(bench.records()),
    ...(has('unreachable') && { disconnect: (bench) => bench.inject('unreachable') }),
  });
}

function supports(driver: PowerInterface, target: PowerTarget): boolean {
  if (target === 'power on' || target === 'power off') return true;
  return (driver.supportedTargets ?? powerTargets).includes(target);
}

function describeTargets({ runner: { describe, it }, use }: Context): void {
  describe('power actions', () => {
    for (const target of powerTargets) {
      for (const from of ['power on', 'power off'] as const) {
        it(`"${target}" from "${from}" ends as the action says, or is refused when it is not declared`, () =>
          use([from], async (bench) => {
            const before = await bench.fixture.observe(bench.records());
            const call = bench.driver.setPowerState(bench.task(), target, timeoutMs);
            if (!supports(bench.driver, target)) {
              await rejected(target, call, /^UNSUPPORTED$/, bench.secrets);
              assert.deepEqual(
                await bench.fixture.observe(bench.records()),
                before,
                'a refused action was carried out',
              );
              return;
            }
            await settled(target, call);
            await assertEnded(bench, target, from, before);
          }));
      }
    }

    for (const target of ['power on', 'power off'] as const) {
      it(`"${target}" twice is the same as once`, () =>
        use([target === 'power on' ? 'power off' : 'power on'], async (bench) => {
          await settled(target, bench.driver.setPowerState(bench.task(), target, timeoutMs));
          const once = await bench.fixture.observe(bench.records());
          await settled(target, bench.driver.setPowerState(bench.task(), target, timeoutMs));
          assert.deepEqual(await bench.fixture.observe(bench.records()), once);
          assert.equal(once.powerState, target);
        }));
    }

    it('keeps two machines apart that change at the same time', () =>
      use(['power off', 'power on'], async (bench) => {
        const calls = [
          bench.driver.setPowerState(bench.task(bench.records(0)), 'power on', timeoutMs),
          bench.driver.setPowerState(bench.task(bench.records(1)), 'power off', timeoutMs),
        ];
        await settled('both actions', Promise.all(calls));
        assert.equal((await bench.fixture.observe(bench.records(0))).powerState, 'power on');
        assert.equal((await bench.fixture.observe(bench.records(1))).powerState, 'power off');
      }));

    it('declares only targets that the API knows', () =>
      use(['power off'], async ({ driver }) => {
        const unknown = (driver.supportedTargets ?? []).filter((target) => !powerTargets.includes(target));
        assert.deepEqual(await Promise.resolve(unknown), []);
      }));
  });
}

async function assertEnded(bench: PowerBench, target: PowerTarget, from: OnOff, before: ObservedMachine) {
  const expected = endsPoweredOn(target) ? 'power on' : 'power off';
  const after = await bench.fixture.observe(bench.records());
  assert.equal(after.powerState, expected, 'the machine is in another state than the action asks for');
  const starts = expected === 'power on' && (from === 'power off' || target !== 'power on') ? 1 : 0;
  if (before.boots !== null)
    assert.equal(after.boots, before.boots + starts, 'the machine was started a wrong number of times');
  const reported = await settled('getPowerState', bench.driver.getPowerState(bench.task()));
  assert.equal(reported, expected, 'getPowerState does not tell the state that the action led to');
}

function describeReading({ runner: { describe, it }, use, has }: Context): void {
  describe('reading the power state', () => {
    for (const state of ['power on', 'power off'] as const) {
      it(`reports a machine that is in "${state}"`, () =>
        use([state], async (bench) => {
          assert.equal(await settled('getPowerState', bench.driver.getPowerState(bench.task())), state);
        }));
    }

    it('reads the state without changing it', () =>
      use(['power on'], async (bench) => {
        const before = await bench.fixture.observe(bench.records());
        await settled('getPowerState', bench.driver.getPowerState(bench.task()));
        assert.deepEqual(await bench.fixture.observe(bench.records()), before);
      }));

    if (!has('power_lost')) return;
    it('asks the machine, not its own memory', () =>
      use(['power off'], async (bench) => {
        await settled('power on', bench.driver.setPowerState(bench.task(), 'power on', timeoutMs));
        const records = await bench.inject('power_lost');
        assert.equal(await settled('getPowerState', bench.driver.getPowerState(bench.task(records))), 'power off');
      }));
  });
}

function describeLimits({ runner: { describe, it }, use, has }: Context): void {
  if (!has('ignores_soft_actions') && !has('ignores_all_actions')) return;
  describe('time limits', () => {
    for (const target of ['soft power off', 'soft rebooting'] as const) {
      if (!has('ignores_soft_actions')) break;
      it(`gives "${target}" up when the operating system does not react in time`, () =>
        use(['power on'], async (bench) => {
          const before = await bench.fixture.observe(bench.records());
          const task = bench.task(await bench.inject('ignores_soft_actions'));
          const code = supports(bench.driver, target) ? /^POWER_STATE_FAILURE$/ : /^UNSUPPORTED$/;
          await rejected(target, bench.driver.setPowerState(task, target, shortMs), code, bench.secrets);
          assert.deepEqual(
            await bench.fixture.observe(bench.records()),
            before,
            'the machine was switched the hard way',
          );
        }));
    }

    for (const target of ['power on', 'power off'] as const) {
      if (!has('ignores_all_actions')) break;
      it(`reports that "${target}" was not reached`, () =>
        use([target === 'power on' ? 'power off' : 'power on'], async (bench) => {
          const task = bench.task(await bench.inject('ignores_all_actions'));
          const call = bench.driver.setPowerState(task, target, shortMs);
          await rejected(target, call, /^POWER_STATE_FAILURE$/, bench.secrets);
        }));
    }
  });
}

function describeAbort({ runner: { describe, it }, use, has }: Context): void {
  describe('abort', () => {
    for (const target of ['power on', 'power off'] as const) {
      it(`does not begin "${target}" when its signal is aborted`, () =>
        use([target === 'power on' ? 'power off' : 'power on'], async (bench) => {
          const before = await bench.fixture.observe(bench.records());
          const reason = abortReason();
          const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
          await rejectedByAbort(target, bench.driver.setPowerState(task, target, timeoutMs), reason);
          assert.deepEqual(await bench.fixture.observe(bench.records()), before, 'the action was carried out');
        }));
    }

    if (!has('ignores_soft_actions')) return;
    it('stops waiting for the operating system when its signal is aborted', () =>
      use(['power on'], async (bench) => {
        const reason = abortReason();
        const controller = new AbortController();
        const task = bench.task(await bench.inject('ignores_soft_actions'), { signal: controller.signal });
        const call = bench.driver.setPowerState(task, 'soft power off', neverMs);
        if (!supports(bench.driver, 'soft power off')) {
          await rejected('soft power off', call, /^UNSUPPORTED$/, bench.secrets);
          return;
        }
        controller.abort(reason);
        await rejectedByAbort('soft power off', call, reason);
      }));
  });
}

function describeUnreachable({ runner: { describe, it }, use, has }: Context): void {
  const failures = [
    { fault: 'unreachable', code: /_UNREACHABLE$/, title: 'says that the BMC does not answer' },
    { fault: 'unauthorized', code: /_UNAUTHORIZED$/, title: 'says that the BMC refuses the credentials' },
  ] as const;
  for (const { fault, code, title } of failures) {
    if (!has(fault)) continue;
    describe(`a BMC that is ${fault}`, () => {
      it(`${title} when it is asked for the power state`, () =>
        use(['power on'], async (bench) => {
          const task = bench.task(await bench.inject(fault));
          await rejected('getPowerState', bench.driver.getPowerState(task), code, bench.secrets);
        }));

      it(`${title} when it has to change the power state`, () =>
        use(['power on'], async (bench) => {
          const task = bench.task(await bench.inject(fault));
          const call = bench.driver.setPowerState(task, 'power off', timeoutMs);
          await rejected('power off', call, code, bench.secrets);
        }));
    });
  }
}

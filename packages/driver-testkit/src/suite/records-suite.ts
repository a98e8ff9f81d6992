import assert from 'node:assert/strict';
import { explain, type DriverInterface, type Task } from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import type { RefusedRecords, TestRunner } from './harness.ts';
import { rejected, settled } from './outcome.ts';

/** What the tests of `validate` and of an interface's self-description need of a bench. */
export interface RecordsBench {
  readonly driver: DriverInterface;
  readonly secrets: readonly string[];
  records(): NodeRecords;
  task(records?: NodeRecords, overrides?: Partial<Task>): Task;
}

export interface RecordsSuite<Made extends RecordsBench> {
  readonly runner: TestRunner;
  readonly refuses: readonly RefusedRecords[];
  /** What the backend really holds, in a form that can be compared. */
  readonly observe: (bench: Made) => Promise<unknown>;
  readonly use: (body: (bench: Made) => Promise<void>) => Promise<void>;
  /** Makes the backend of the records unreachable; missing when the harness cannot. */
  readonly disconnect?: (bench: Made) => Promise<NodeRecords>;
}

const invalid = /^(INVALID|MISSING)_PARAMETER$/;

/** Tests of what every driver interface has: `validate`, `properties`, `capabilities`. */
export function describeRecords<Made extends RecordsBench>(suite: RecordsSuite<Made>): void {
  const { runner, refuses, observe, use, disconnect } = suite;
  const { describe, it } = runner;
  describe('records and self-description', () => {
    it('describes its capabilities and properties in words', () =>
      use(async ({ driver }) => {
        const tags = driver.capabilities ?? [];
        assert.deepEqual([...new Set(tags)], [...tags], 'a capability is declared twice');
        assert.ok(!tags.includes(''), 'a capability has no name');
        for (const [key, { description }] of Object.entries(driver.properties ?? {})) {
          assert.ok(description.trim() !== '', `property ${key} has no description`);
        }
        await Promise.resolve();
      }));

    it('validates good records and touches nothing', () =>
      use(async (bench) => {
        const before = await observe(bench);
        await settled('validate', bench.driver.validate(bench.task()));
        assert.deepEqual(await observe(bench), before, 'validate changed something');
      }));

    it('names every required property that is missing', () =>
      use(async (bench) => {
        const records = bench.records();
        const required = Object.entries(bench.driver.properties ?? {}).filter(([, property]) => property.required);
        for (const [key] of required.filter(([name]) => name in records.node.driverInfo)) {
          const { [key]: _removed, ...driverInfo } = records.node.driverInfo;
          const task = bench.task({ ...records, node: { ...records.node, driverInfo } });
          const error = await rejected(`validate without ${key}`, bench.driver.validate(task), invalid, bench.secrets);
          assert.ok(explain(error).includes(key), `the error does not name ${key}: ${explain(error)}`);
        }
      }));

    for (const { title, field, change, neighbours } of refuses) {
      it(`refuses ${title}`, () =>
        use(async (bench) => {
          const before = await observe(bench);
          const task = bench.task(change(bench.records()));
          const driver = neighbours === undefined ? task.driver : { ...task.driver, ...neighbours };
          const call = bench.driver.validate({ ...task, driver });
          const error = await rejected('validate', call, invalid, bench.secrets);
          assert.ok(explain(error).includes(field), `the error does not name ${field}: ${explain(error)}`);
          assert.deepEqual(await observe(bench), before, 'validate changed something');
        }));
    }

    if (disconnect === undefined) return;
    it('validates without an answer from the backend', () =>
      use(async (bench) => {
        const records = await disconnect(bench);
        await settled('validate', bench.driver.validate(bench.task(records)));
      }));
  });
}

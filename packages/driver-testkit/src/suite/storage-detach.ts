import assert from 'node:assert/strict';
import { explain } from '@ironbark/core';
import { abortReason } from '../fakes/task.ts';
import { rejected, rejectedByAbort, settled } from './outcome.ts';
import { assertHeld, volumeId, volumeIds, type StorageContext } from './storage-harness.ts';

/** Tests of `detach` when nothing goes wrong. */
export function describeDetach(context: StorageContext): void {
  const { runner, use, isManaged } = context;
  const { describe, it } = runner;
  describe('detach', () => {
    it('releases every volume of the node', () =>
      use([3], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        await settled('detach', bench.driver.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));

    it('twice is the same as once', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        await settled('detach', bench.driver.detach(bench.task()));
        await settled('the second detach', bench.driver.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));

    it('does nothing when nothing is attached', () =>
      use([2], async (bench) => {
        await settled('detach', bench.driver.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));

    it('leaves the volumes of another node alone', () =>
      use([2, 2], async (bench) => {
        const other = bench.records(1);
        await settled('attach', bench.driver.attach(bench.task()));
        await settled('attach', bench.driver.attach(bench.task(other)));
        await settled('detach', bench.driver.detach(bench.task()));
        await assertHeld(context, bench, other, volumeIds(other));
      }));

    it('releases after a restart what was attached before it', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        const restarted = await bench.fixture.restart();
        await settled('detach', restarted.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));

    it('lets the node be attached again', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        await settled('detach', bench.driver.detach(bench.task()));
        await settled('the second attach', bench.driver.attach(bench.task()));
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('releases the volumes of an active node, which can be attached again', () =>
      use([2], async (bench) => {
        const { node, ...rest } = bench.records();
        const active = { ...rest, node: { ...node, provisionState: 'active' as const } };
        await settled('attach', bench.driver.attach(bench.task(active)));
        await settled('detach', bench.driver.detach(bench.task(active)));
        await assertHeld(context, bench, active, []);
        await settled('the second attach', bench.driver.attach(bench.task(active)));
        await assertHeld(context, bench, active, volumeIds(active));
      }));

    if (!isManaged) return;
    it('leaves no note in the journal, which would count as a volume that may be attached', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        await settled('detach', bench.driver.detach(bench.task()));
        assert.deepEqual([...bench.journal(bench.records()).notes().keys()], []);
      }));

    it('releases a volume whose target was deleted meanwhile', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        const records = { ...bench.records(), volumeTargets: bench.records().volumeTargets.slice(0, 1) };
        await settled('detach', bench.driver.detach(bench.task(records)));
        await assertHeld(context, bench, bench.records(), []);
      }));
  });
}

/** Tests of `detach` when the backend does not do its part. */
export function describeFailingDetach(context: StorageContext): void {
  const { runner, use, has, isManaged } = context;
  const { describe, it } = runner;
  describe('detach that fails', () => {
    if (isManaged) {
      it('releases nothing when the lock is lost', () =>
        use([2], async (bench) => {
          await settled('attach', bench.driver.attach(bench.task()));
          bench.journal(bench.records()).loseLock();
          await rejected('detach', bench.driver.detach(bench.task()), /^LOCK_LOST$/, bench.secrets);
          await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
        }));
    }

    it('does not begin when its signal is aborted', () =>
      use([2], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        const reason = abortReason();
        const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
        await rejectedByAbort('detach', bench.driver.detach(task), reason);
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    for (const name of ['release_refused', 'release_ignored'] as const) {
      if (!has(name)) continue;
      const what = name === 'release_refused' ? 'the backend refuses to release' : 'the backend only claims to release';
      it(`releases the others and names the volume that ${what}`, () =>
        use([3], async (bench) => {
          const [first, stuck, third] = [0, 1, 2].map((index) => volumeId(bench.records(), index));
          assert.ok(first !== undefined && stuck !== undefined && third !== undefined);
          await settled('attach', bench.driver.attach(bench.task()));
          const records = await bench.inject({ name, volumeId: stuck });
          const call = bench.driver.detach(bench.task(records));
          const error = await rejected('detach', call, /^STORAGE_FAILURE$/, bench.secrets);
          assert.ok(explain(error).includes(stuck), `the error does not name volume ${stuck}: ${explain(error)}`);
          const wrong = [first, third].filter((id) => explain(error).includes(id));
          assert.deepEqual(wrong, [], 'the error names volumes that were released');
          await assertHeld(context, bench, records, [stuck]);
        }));

      it(`finishes when it is repeated after ${what} no more`, () =>
        use([2], async (bench) => {
          await settled('attach', bench.driver.attach(bench.task()));
          const records = await bench.inject({ name, volumeId: volumeId(bench.records(), 1) });
          await rejected('detach', bench.driver.detach(bench.task(records)), /^STORAGE_FAILURE$/, bench.secrets);
          assert.ok(bench.fixture.repair !== undefined, 'the harness names faults, but its fixture has no repair()');
          await bench.fixture.repair();
          await settled('the second detach', bench.driver.detach(bench.task()));
          await assertHeld(context, bench, bench.records(), []);
        }));
    }

    if (!has('unreachable')) return;
    it('does not succeed when the backend does not answer', () =>
      use([1], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        const records = await bench.inject({ name: 'unreachable' });
        await rejected('detach', bench.driver.detach(bench.task(records)), /./, bench.secrets);
      }));
  });
}

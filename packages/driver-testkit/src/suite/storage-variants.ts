import { settled } from './outcome.ts';
import { useWithCrash } from './storage-crash.ts';
import { assertHeld, volumeIds, type StorageContext } from './storage-harness.ts';

/** Tests that a driver which was set up in another way goes on with what it finds. */
export function describeChange(context: StorageContext, other: string): void {
  const { runner, use } = context;
  const { describe, it } = runner;
  describe(`a change to ${other}`, () => {
    it('keeps what is attached, and releases it', () =>
      use([2], async (bench) => {
        const ids = volumeIds(bench.records());
        await settled('attach', bench.driver.attach(bench.task()));
        const changed = await bench.fixture.restart(other);
        await settled('the attach after the change', changed.attach(bench.task()));
        await assertHeld(context, bench, bench.records(), ids);
        await settled('the detach after the change', changed.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));

    for (const moment of ['before', 'after'] as const) {
      it(`finishes what was begun when the conductor died ${moment} the backend made something`, () =>
        useWithCrash(context, moment, async (bench) => {
          const changed = await bench.fixture.restart(other);
          await settled('attach', changed.attach(bench.task()));
          await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
          await settled('detach', changed.detach(bench.task()));
          await assertHeld(context, bench, bench.records(), []);
        }));
    }
  });
}

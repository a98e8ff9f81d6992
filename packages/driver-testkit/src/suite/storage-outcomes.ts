import assert from 'node:assert/strict';
import type { VolumeOutcome } from '@ironbark/core';
import { rejected, settled } from './outcome.ts';
import { assertHidden } from './secrecy.ts';
import { volumeId, volumeIds, type StorageContext } from './storage-harness.ts';

type Results = Readonly<Record<string, VolumeOutcome['result']>>;

/** Tests of what a driver that manages attachments tells about each volume. */
export function describeOutcomes({ runner: { describe, it }, use, has }: StorageContext): void {
  describe('onVolume', () => {
    it('hears of every volume that was attached, and of those that were already', () =>
      use([2], async (bench) => {
        const ids = volumeIds(bench.records());
        const first = new Outcomes();
        await settled('attach', bench.driver.attach(bench.task(), first.listen));
        assert.deepEqual(first.results(), resultOf(ids, 'attached'));
        const second = new Outcomes();
        await settled('attach', bench.driver.attach(bench.task(), second.listen));
        assert.deepEqual(second.results(), resultOf(ids, 'adopted'));
      }));

    it('hears of every volume that was released, and that there is nothing the second time', () =>
      use([2], async (bench) => {
        const ids = volumeIds(bench.records());
        await settled('attach', bench.driver.attach(bench.task()));
        const first = new Outcomes();
        await settled('detach', bench.driver.detach(bench.task(), first.listen));
        assert.deepEqual(first.results(), resultOf(ids, 'released'));
        const second = new Outcomes();
        await settled('detach', bench.driver.detach(bench.task(), second.listen));
        assert.deepEqual(second.results(), resultOf(ids, 'absent'));
      }));

    if (has('attach_refused')) {
      it('hears which volume was not attached and why, and of none that stays attached', () =>
        use([3], async (bench) => {
          const refused = volumeId(bench.records(), 1);
          const records = await bench.inject({ name: 'attach_refused', volumeId: refused });
          const outcomes = new Outcomes();
          await rejected('attach', bench.driver.attach(bench.task(records), outcomes.listen), /./, bench.secrets);
          assert.equal(outcomes.results()[refused], 'failed');
          assert.ok(outcomes.errorOf(refused), 'a failure is told without its reason');
          assertHidden('an outcome', outcomes.all, bench.secrets);
          const held = outcomes.all.filter(({ result }) => result === 'attached' || result === 'adopted');
          assert.deepEqual(held, [], 'a volume is told to be attached, although all were released');
        }));
    }

    if (has('release_refused')) {
      it('hears which volume was not released and why', () =>
        use([2], async (bench) => {
          await settled('attach', bench.driver.attach(bench.task()));
          const [released, stuck] = [volumeId(bench.records(), 0), volumeId(bench.records(), 1)];
          const records = await bench.inject({ name: 'release_refused', volumeId: stuck });
          const outcomes = new Outcomes();
          await rejected('detach', bench.driver.detach(bench.task(records), outcomes.listen), /./, bench.secrets);
          assert.deepEqual(outcomes.results(), { [released]: 'released', [stuck]: 'failed' });
          assert.ok(outcomes.errorOf(stuck), 'a failure is told without its reason');
        }));
    }
  });
}

function resultOf(ids: readonly string[], result: VolumeOutcome['result']): Results {
  return Object.fromEntries(ids.map((id) => [id, result]));
}

class Outcomes {
  readonly all: VolumeOutcome[] = [];
  readonly listen = (outcome: VolumeOutcome): void => {
    this.all.push(outcome);
  };

  /** Fails when a volume was told of twice, or an outcome contradicts itself. */
  results(): Results {
    for (const { volumeId: id, result, durationMs, error } of this.all) {
      assert.equal(this.all.filter((one) => one.volumeId === id).length, 1, `volume ${id} was told of more than once`);
      assert.ok(durationMs >= 0, `the time for volume ${id} is ${durationMs} ms`);
      assert.equal(error !== null, result === 'failed', `volume ${id} is ${result}, with the error ${error}`);
    }
    return Object.fromEntries(this.all.map(({ volumeId: id, result }) => [id, result]));
  }

  errorOf(id: string): string | null | undefined {
    return this.all.find((outcome) => outcome.volumeId === id)?.error;
  }
}

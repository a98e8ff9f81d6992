import assert from 'node:assert/strict';
import { abortReason } from '../fakes/task.ts';
import { rejected, rejectedByAbort, settled } from './outcome.ts';
import { assertHidden } from './secrecy.ts';
import { useWithCrash } from './storage-crash.ts';
import { assertHeld, idsOf, volumeId, volumeIds, type StorageContext } from './storage-harness.ts';

const anyCode = /./;

/** Tests of `attach` when nothing goes wrong. */
export function describeAttach(context: StorageContext): void {
  const { runner, harness, use } = context;
  const { describe, it } = runner;
  const connected = (ids: readonly string[]) => (harness.connects === 'none' ? [] : ids);
  describe('attach', () => {
    it('returns a connection for every target in the order of the boot index', () =>
      use([3], async (bench) => {
        const volumes = await settled('attach', bench.driver.attach(bench.task()));
        assert.deepEqual(idsOf(volumes), connected(volumeIds(bench.records())));
        for (const { connection, target } of volumes) {
          assert.ok(bench.records().volumeTargets.includes(target), 'a target is not the one of the task');
          assert.ok(connection.kind === 'nfs' || connection.paths.length > 0, 'a connection has no path');
        }
      }));

    it('attaches exactly the volumes of the node', () =>
      use([3], async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('twice is the same as once', () =>
      use([2], async (bench) => {
        const once = await settled('attach', bench.driver.attach(bench.task()));
        const twice = await settled('attach', bench.driver.attach(bench.task()));
        assert.deepEqual(revealed(twice), revealed(once));
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('adopts after a restart what is attached already', () =>
      use([2], async (bench) => {
        const once = await settled('attach', bench.driver.attach(bench.task()));
        const restarted = await bench.fixture.restart();
        const again = await settled('attach', restarted.attach(bench.task()));
        assert.deepEqual(revealed(again), revealed(once));
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('of a node without targets returns nothing and touches nothing', () =>
      use([0], async (bench) => {
        assert.deepEqual(await settled('attach', bench.driver.attach(bench.task())), []);
        await assertHeld(context, bench, bench.records(), []);
      }));

    it('keeps two nodes apart that are attached at the same time', () =>
      use([2, 2], async (bench) => {
        const [first, second] = [bench.records(0), bench.records(1)];
        const calls = [first, second].map((records) => bench.driver.attach(bench.task(records)));
        const results = await settled('both attachments', Promise.all(calls));
        assert.deepEqual(results.map(idsOf), [connected(volumeIds(first)), connected(volumeIds(second))]);
        await assertHeld(context, bench, first, volumeIds(first));
        await assertHeld(context, bench, second, volumeIds(second));
      }));

    it('shows no secret in the JSON or inspection of a connection', () =>
      use([2], async (bench) => {
        const volumes = await settled('attach', bench.driver.attach(bench.task()));
        assertHidden('what attach returns', volumes, bench.secrets);
      }));
  });
}

/** Connections hold secrets, which compare by identity: this compares what is in them. */
function revealed(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, function reveal(this: Record<string, unknown>, key: string, item: unknown) {
      const original = this[key];
      const isSecret = typeof original === 'object' && original !== null && 'reveal' in original;
      return isSecret ? (original as { reveal(): string }).reveal() : item;
    }),
  );
}

/** Tests of `attach` when something goes wrong on the way. */
export function describeFailingAttach(context: StorageContext): void {
  const { runner, isManaged, use, has } = context;
  const { describe, it } = runner;
  describe('attach that fails', () => {
    it('does not begin when its signal is aborted', () =>
      use([2], async (bench) => {
        const reason = abortReason();
        const task = bench.task(bench.records(), { signal: AbortSignal.abort(reason) });
        await rejectedByAbort('attach', bench.driver.attach(task), reason);
        await assertHeld(context, bench, bench.records(), []);
      }));

    if (has('attach_refused')) {
      it('releases what it attached when a later volume fails', () =>
        use([3], async (bench) => {
          const refused = volumeId(bench.records(), 1);
          const records = await bench.inject({ name: 'attach_refused', volumeId: refused });
          await rejected('attach', bench.driver.attach(bench.task(records)), anyCode, bench.secrets);
          await assertHeld(context, bench, records, [], 'a volume stays attached after the failure');
        }));

      it('keeps what was attached before when a further volume fails', () =>
        use([2], async (bench) => {
          const [boot, extra] = [volumeId(bench.records(), 0), volumeId(bench.records(), 1)];
          const before = { ...bench.records(), volumeTargets: bench.records().volumeTargets.slice(0, 1) };
          await settled('attach', bench.driver.attach(bench.task(before)));
          const records = await bench.inject({ name: 'attach_refused', volumeId: extra });
          await rejected('attach', bench.driver.attach(bench.task(records)), anyCode, bench.secrets);
          await assertHeld(context, bench, records, [boot], 'an earlier attachment was released');
        }));
    }

    if (has('unreachable')) {
      it('says so when the backend does not answer', () =>
        use([1], async (bench) => {
          const records = await bench.inject({ name: 'unreachable' });
          await rejected('attach', bench.driver.attach(bench.task(records)), anyCode, bench.secrets);
        }));
    }

    if (isManaged) describeCrashes(context);
  });
}

function describeCrashes(context: StorageContext): void {
  const { runner, use } = context;
  const { it } = runner;

  it('writes a note into the journal before it asks the backend to make something', async () => {
    const order: string[] = [];
    const onCreate = async (moment: 'before' | 'after') => void (moment === 'before' && order.push('create'));
    await use(
      [1],
      async (bench) => {
        await settled('attach', bench.driver.attach(bench.task()));
        assert.ok(order.includes('create'), 'the harness did not call onCreate');
        assert.equal(order[0], 'put', `the order was: ${order.join(', ')}`);
      },
      { onCreate, onPut: () => order.push('put') },
    );
  });

  it('makes nothing when the lock is lost', () =>
    use([2], async (bench) => {
      bench.journal(bench.records()).loseLock();
      await rejected('attach', bench.driver.attach(bench.task()), /^LOCK_LOST$/, bench.secrets);
      await assertHeld(context, bench, bench.records(), []);
    }));

  it('stops when its signal is aborted on the way, and a detach releases the rest', async () => {
    const reason = abortReason();
    const controller = new AbortController();
    const onCreate = async (moment: 'before' | 'after') => void (moment === 'after' && controller.abort(reason));
    await use(
      [2],
      async (bench) => {
        const task = bench.task(bench.records(), { signal: controller.signal });
        await rejectedByAbort('attach', bench.driver.attach(task), reason);
        await settled('detach', bench.driver.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      },
      { onCreate },
    );
  });

  for (const moment of ['before', 'after'] as const) {
    it(`goes on after the conductor died ${moment} the backend made something`, () =>
      useWithCrash(context, moment, async (bench) => {
        const restarted = await bench.fixture.restart();
        await settled('attach', restarted.attach(bench.task()));
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it(`detaches after the conductor died ${moment} the backend made something`, () =>
      useWithCrash(context, moment, async (bench) => {
        const restarted = await bench.fixture.restart();
        await settled('detach', restarted.detach(bench.task()));
        await assertHeld(context, bench, bench.records(), []);
      }));
  }
}

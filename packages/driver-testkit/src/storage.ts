import assert from 'node:assert/strict';
import { isIronbarkError, type Info } from '@ironbark/core';
import { createIscsiProperties, createNodeRecords, type NodeRecords } from './fakes/records.ts';
import { withBench } from './suite/bench.ts';
import type { RefusedRecords, TestRunner } from './suite/harness.ts';
import { settled } from './suite/outcome.ts';
import { describeRecords } from './suite/records-suite.ts';
import { assertHidden } from './suite/secrecy.ts';
import { describeAttach, describeFailingAttach } from './suite/storage-attach.ts';
import { describeDetach, describeFailingDetach } from './suite/storage-detach.ts';
import { describeOutcomes } from './suite/storage-outcomes.ts';
import { describeReconcile } from './suite/storage-reconcile.ts';
import { describeChange } from './suite/storage-variants.ts';
import { idsOf, type StorageBench, type StorageContext, type StorageHarness } from './suite/storage-harness.ts';

export type { Fixture, Harness, RefusedRecords, TestRunner } from './suite/harness.ts';
export type {
  StorageFault,
  StorageFaultName,
  StorageFixture,
  StorageHarness,
  StorageOptions,
} from './suite/storage-harness.ts';
export type { OnCreate } from './fakes/memory-storage.ts';

/** Registers the conformance tests of a storage interface. */
export function describeStorageDriver(runner: TestRunner, harness: StorageHarness): void {
  const variants = harness.variants ?? [];
  runner.describe('storage driver', () => {
    if (variants.length === 0) describeVariant(contextOf(runner, harness, undefined));
    for (const variant of variants) {
      const context = contextOf(runner, harness, variant);
      runner.describe(variant, () => {
        describeVariant(context);
        for (const other of variants.filter((name) => name !== variant)) describeChange(context, other);
      });
    }
  });
}

function contextOf(runner: TestRunner, harness: StorageHarness, variant: string | undefined): StorageContext {
  return {
    runner,
    harness,
    variant,
    isManaged: harness.attachments === 'managed',
    has: (fault) => harness.faults?.includes(fault) ?? false,
    use(volumes, body, watch = {}) {
      const records = volumes.map((count, number) => createNodeRecords({ number, volumes: count }));
      const { onCreate = () => Promise.resolve(), onPut } = watch;
      return withBench('storage', harness, { records, onCreate, variant }, body, onPut);
    },
  };
}

function describeVariant(context: StorageContext): void {
  describeStorageRecords(context);
  describeAttach(context);
  describeFailingAttach(context);
  describeDetach(context);
  describeFailingDetach(context);
  describeImageDecision(context);
  describePlan(context);
  if (context.isManaged) describeOutcomes(context);
  if (context.harness.reconciles === true) describeReconcile(context);
}

/** Malformed iSCSI targets, for the `refuses` of drivers that take connections from the targets' properties. */
export const malformedIscsiTargets: readonly RefusedRecords[] = [
  refusedTarget('a volume type that does not exist', 'volume type', {}, 'rbd'),
  refusedTarget('a volume type in upper case', 'volume type', {}, 'iSCSI'),
  refusedTarget('a target without a portal', 'target_portal', { target_portal: null }),
  refusedTarget('a portal that is no address', 'target_portal', { target_portal: 'here:there' }),
  refusedTarget('an IQN that is none', 'target_iqn', { target_iqn: 'volume 0' }),
  refusedTarget('a LUN that is no number', 'target_lun', { target_lun: 'a' }),
  refusedTarget('a LUN out of range', 'target_lun', { target_lun: 65_536 }),
  refusedTarget('CHAP without a password', 'auth_password', { auth_password: null }),
  refusedTarget('CHAP without a user', 'auth_username', { auth_username: null }),
  refusedTarget('more IQNs than portals', 'target_iqn', {
    target_iqns: ['iqn.2010-10.org.example:a', 'iqn.2010-10.org.example:b'],
  }),
];

function refusedTarget(title: string, field: string, properties: Info, volumeType = 'iscsi'): RefusedRecords {
  const change = (records: NodeRecords): NodeRecords => ({
    ...records,
    volumeTargets: records.volumeTargets.map((target) => ({
      ...target,
      volumeType,
      properties: createIscsiProperties(properties),
    })),
  });
  return { title, field, change };
}

function describeStorageRecords({ runner, harness, use, has }: StorageContext): void {
  const { followsPower: follows = true } = harness;
  runner.describe('self-description', () => {
    runner.it(`says that its volumes ${follows ? 'follow the power of the machine' : 'stay while it is off'}`, () =>
      use([1], async ({ driver }) => {
        await Promise.resolve();
        assert.equal(driver.followsPower ?? true, follows);
      }),
    );
  });
  describeRecords<StorageBench>({
    runner,
    refuses: harness.refuses ?? [],
    use: (body) => use([2], body),
    observe: (bench) => everything(bench),
    ...(has('unreachable') && { disconnect: (bench) => bench.inject({ name: 'unreachable' }) }),
  });
}

/** What the backend holds, and what the journal does. */
async function everything(bench: StorageBench) {
  const held = await bench.fixture.observe(bench.records());
  return { held: [...held], notes: [...bench.journal(bench.records()).notes().keys()] };
}

const imageDecisions: readonly {
  readonly title: string;
  readonly info: Info;
  readonly indexes: readonly number[];
  readonly writes: boolean;
}[] = [
  { title: 'is written to a node without volumes', info: {}, indexes: [], writes: true },
  { title: 'is written to a node with an extra volume only', info: {}, indexes: [1], writes: true },
  { title: 'is not written to a node with a boot volume', info: {}, indexes: [0], writes: false },
  {
    title: 'is written when one is named, in spite of a boot volume',
    info: { image_source: 'http://192.0.2.1/image' },
    indexes: [0],
    writes: true,
  },
  {
    title: 'is written when image_source is null, in spite of a boot volume',
    info: { image_source: null },
    indexes: [0],
    writes: true,
  },
];

function describeImageDecision({ runner: { describe, it }, harness, use }: StorageContext): void {
  const isAlways = harness.writesImage === 'always';
  describe('an image', () => {
    for (const { title, info, indexes, writes } of imageDecisions) {
      it(isAlways && !writes ? `${title}, unless the driver always writes one` : title, () =>
        use([2], async (bench) => {
          const { node, volumeTargets, ...rest } = bench.records();
          const targets = volumeTargets.filter((target) => indexes.includes(target.bootIndex));
          const task = bench.task({ ...rest, node: { ...node, instanceInfo: info }, volumeTargets: targets });
          assert.equal(await Promise.resolve(bench.driver.shouldWriteImage(task)), writes || isAlways);
        }),
      );
    }
  });
}

function describePlan({ runner: { describe, it }, harness, isManaged, use, has }: StorageContext): void {
  describe('plan', () => {
    it('touches nothing, neither before nor after an attachment', () =>
      use([2], async (bench) => {
        const before = await everything(bench);
        await settled('plan', bench.driver.plan(bench.task()));
        assert.deepEqual(await everything(bench), before);
        await settled('attach', bench.driver.attach(bench.task()));
        const attached = await everything(bench);
        await settled('plan', bench.driver.plan(bench.task()));
        assert.deepEqual(await everything(bench), attached);
      }));

    if (has('unreachable')) {
      it('comes about without an answer from the backend, or says why not', () =>
        use([1], async (bench) => {
          const records = await bench.inject({ name: 'unreachable' });
          const plan = await settled(
            'plan',
            bench.driver.plan(bench.task(records)).catch((error: unknown) => ({ error })),
          );
          if ('error' in plan) assert.ok(isIronbarkError(plan.error), `plan failed with ${String(plan.error)}`);
          assertHidden('the plan', plan, bench.secrets);
        }));
    }

    it('names the calls that attach would make, and none for a node without volumes', () =>
      use([2, 0], async (bench) => {
        const { calls } = await settled('plan', bench.driver.plan(bench.task()));
        assert.ok(calls.length > 0 || !isManaged, 'attach makes attachments, but plan names no call');
        const none = await settled('plan', bench.driver.plan(bench.task(bench.records(1))));
        assert.deepEqual(none.calls, []);
      }));

    it('knows only volumes of the node, in the order of the boot index', () =>
      use([3], async (bench) => {
        const { volumes } = await settled('plan', bench.driver.plan(bench.task()));
        const attached = idsOf(await settled('attach', bench.driver.attach(bench.task())));
        const expected = isManaged ? attached.filter((id) => idsOf(volumes).includes(id)) : attached;
        assert.deepEqual(idsOf(volumes), expected);
        assert.ok(harness.connects !== 'none' || volumes.length === 0);
      }));

    it('shows no secret', () =>
      use([2], async (bench) => {
        assertHidden('the plan', await settled('plan', bench.driver.plan(bench.task())), bench.secrets);
      }));
  });
}

import assert from 'node:assert/strict';
import {
  timestamp,
  type AttachedVolume,
  type AttachmentFinding,
  type StorageInterface,
  type VolumeAttachment,
} from '@ironbark/core';
import type { NodeRecords } from '../fakes/records.ts';
import { rejected, settled } from './outcome.ts';
import { assertHidden } from './secrecy.ts';
import { useWithCrash } from './storage-crash.ts';
import { assertHeld, volumeId, volumeIds, type StorageBench, type StorageContext } from './storage-harness.ts';

/** Tests of drivers that compare their books with the backend's. */
export function describeReconcile(context: StorageContext): void {
  const { runner, use } = context;
  const { describe, it } = runner;
  describe('reconcile', () => {
    it('finds nothing when the backend holds what it should', () =>
      use([2, 1], async (bench) => {
        const expected = await attached(bench);
        assert.deepEqual(await reconciled(bench, expected, true), []);
        assert.deepEqual(await reconciled(bench, [], true, bench.records(1)), []);
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('finds what should not be held, and changes nothing unless it is asked to', () =>
      use([2], async (bench) => {
        await attached(bench);
        const findings = await reconciled(bench, [], false);
        assert.deepEqual(
          summary(findings),
          volumeIds(bench.records())
            .map((id) => `leaked ${id} ours`)
            .sort(),
        );
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    it('releases what should not be held when it is asked to, and keeps the rest', () =>
      use([2], async (bench) => {
        const [kept, leaked] = [volumeId(bench.records(), 0), volumeId(bench.records(), 1)];
        const expected = (await attached(bench)).filter((attachment) => attachment.volumeId === kept);
        const findings = await reconciled(bench, expected, true);
        assert.deepEqual(summary(findings), [`leaked ${leaked} ours repaired`]);
        await assertHeld(context, bench, bench.records(), [kept]);
        assert.deepEqual(await reconciled(bench, expected, true), []);
      }));

    it('finds what the backend has lost', () =>
      use([1], async (bench) => {
        const expected = await attached(bench);
        await settled('detach', bench.driver.detach(bench.task()));
        const findings = await reconciled(bench, expected, true);
        assert.deepEqual(summary(findings), [`missing ${volumeId(bench.records(), 0)}`]);
      }));

    it('finds a volume of the node that another node holds, and leaves it there', () =>
      use([1, 1], async (bench) => {
        const [holder, node] = [bench.records(0), bench.records(1)];
        await attached(bench);
        const targets = node.volumeTargets.map((target) => ({ ...target, volumeId: volumeId(holder, 0) }));
        const findings = await reconciled(bench, [], true, { ...node, volumeTargets: targets });
        assert.deepEqual(summary(findings), [`foreign ${volumeId(holder, 0)}`]);
        await assertHeld(context, bench, holder, volumeIds(holder));
      }));

    it('releases nothing when the lock is lost', () =>
      use([1], async (bench) => {
        await attached(bench);
        bench.journal(bench.records()).loseLock();
        await rejected('reconcile', reconciled(bench, [], true), /^LOCK_LOST$/, bench.secrets);
        await assertHeld(context, bench, bench.records(), volumeIds(bench.records()));
      }));

    for (const moment of ['before', 'after'] as const) {
      it(`clears up after the conductor died ${moment} the backend made something`, () =>
        useWithCrash(context, moment, async (bench) => {
          await reconciled(bench, [], true, bench.records(), await bench.fixture.restart());
          await assertHeld(context, bench, bench.records(), []);
        }));
    }

    it('finds volumes of nodes that are not known, and changes nothing', () =>
      use([2], async (bench) => {
        await attached(bench);
        const { driver } = bench;
        assert.ok(
          driver.findOrphans !== undefined,
          'the harness says that the driver reconciles, but it has no findOrphans',
        );
        const find = (isKnown: (nodeUuid: string) => boolean) => {
          const call = driver.findOrphans?.(isKnown, new AbortController().signal);
          return settled('findOrphans', call ?? Promise.resolve([]));
        };
        assert.deepEqual(await find(() => true), []);
        const ids = volumeIds(bench.records());
        const orphans = (await find(() => false)).filter((finding) => ids.includes(finding.volumeId));
        assert.deepEqual(summary(orphans), ids.map((id) => `leaked ${id}`).sort());
        assert.ok(orphans.every(({ nodeUuid }) => nodeUuid === bench.records().node.uuid));
        await assertHeld(context, bench, bench.records(), ids);
      }));
  });
}

async function attached(bench: StorageBench): Promise<readonly VolumeAttachment[]> {
  return (await settled('attach', bench.driver.attach(bench.task()))).map(toAttachment);
}

function toAttachment({ target, connection }: AttachedVolume): VolumeAttachment {
  const { uuid, nodeUuid, volumeId: id, bootIndex } = target;
  return { nodeUuid, targetUuid: uuid, volumeId: id, bootIndex, connection, attachedAt: timestamp() };
}

async function reconciled(
  bench: StorageBench,
  expected: readonly VolumeAttachment[],
  repair: boolean,
  records: NodeRecords = bench.records(),
  driver: StorageInterface = bench.driver,
): Promise<readonly AttachmentFinding[]> {
  assert.ok(driver.reconcile !== undefined, 'the harness says that the driver reconciles, but it has no reconcile');
  const findings = await settled('reconcile', driver.reconcile(bench.task(records), expected, repair));
  for (const { nodeUuid, explanation } of findings) {
    assert.equal(nodeUuid, records.node.uuid);
    assert.ok(explanation.trim() !== '', 'a finding has no explanation');
  }
  assertHidden('a finding', findings, bench.secrets);
  return findings;
}

function summary(findings: readonly AttachmentFinding[]): readonly string[] {
  return findings
    .map(({ kind, volumeId: id, isOurs, isRepaired }) => {
      return `${kind} ${id}${isOurs ? ' ours' : ''}${isRepaired ? ' repaired' : ''}`;
    })
    .sort();
}

import { timestamp, type AttachedVolume, type AttachmentFinding, type VolumeAttachment } from '@ironbark/core';
import { fixedUuid } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { isProven } from '../src/proof.ts';
import type { AttachmentNote } from '../src/journal-notes.ts';
import type { Holding } from '../src/survey.ts';
import { CinderBench } from './support/bench.ts';

const { signal } = new AbortController();
const nodeUuid = fixedUuid(1);
const instanceUuid = fixedUuid(9, 1);
const stranger = fixedUuid(9, 2);
const owner = { nodeUuid, instanceUuid, instanceUuids: new Set([instanceUuid, nodeUuid]) };

function noteOf(overrides: Partial<AttachmentNote> = {}): AttachmentNote {
  return {
    volumeId: fixedUuid(5),
    protocol: 'attachments',
    phase: 'exporting',
    attachmentId: 'a',
    instanceUuid,
    connector: { host: nodeUuid },
    askedAt: 0,
    ...overrides,
  };
}

function holdingOf(overrides: Partial<Holding> = {}): Holding {
  return { attachmentId: 'x', instanceUuid, host: null, stage: 'attached', ...overrides };
}

describe('a holding is proven to be ours', () => {
  const noted = noteOf({ attachmentId: null, phase: 'reserving' });
  it.each<[string, Partial<Holding>, AttachmentNote | undefined]>([
    ['when its id is in the journal', { attachmentId: 'a', instanceUuid: stranger }, noteOf()],
    ['when it is made for the instance, by our connector', { host: nodeUuid }, undefined],
    ['when it is a reservation whose answer was lost', { stage: 'reserved' }, noted],
    ['when it is a reservation by actions that is noted', { attachmentId: null, stage: 'reserved' }, noted],
    [
      'when volume actions attached it and the answer was lost',
      {},
      noteOf({ protocol: 'volume-actions', attachmentId: null }),
    ],
  ])('%s', (_title, holding, note) => {
    expect(isProven(holdingOf(holding), owner, { note, isUnsettled: false })).toBe(true);
  });

  it.each<[string, Partial<Holding>, AttachmentNote | undefined]>([
    ['by the instance alone', {}, undefined],
    ['by the host alone', { host: nodeUuid, instanceUuid: stranger }, undefined],
    ['by the host without an instance', { host: nodeUuid, instanceUuid: null }, undefined],
    ['by the connector of somebody else', { host: 'compute-7' }, undefined],
    ['as a reservation that the journal does not know', { stage: 'reserved' }, undefined],
    ['as a second one beside the one in the journal', { stage: 'reserved' }, noteOf()],
    ['as an attachment, when the journal only knows of a reservation', {}, noted],
    ['as an attachment of another instance', { instanceUuid: stranger }, noted],
  ])('not %s', (_title, holding, note) => {
    expect(isProven(holdingOf(holding), owner, { note, isUnsettled: false })).toBe(false);
  });
});

it('a second reservation for the instance is proven to be ours when an answer about the first was lost', () => {
  const evidence = { note: noteOf(), isUnsettled: true };
  expect(isProven(holdingOf({ stage: 'reserved' }), owner, evidence)).toBe(true);
  expect(isProven(holdingOf({ stage: 'reserved', instanceUuid: stranger }), owner, evidence)).toBe(false);
  expect(isProven(holdingOf({ stage: 'attached' }), owner, evidence)).toBe(false);
});

function summary(findings: readonly AttachmentFinding[]): readonly string[] {
  return findings.map(({ kind, isOurs, isRepaired }) => {
    return `${kind}${isOurs ? ' ours' : ''}${isRepaired ? ' repaired' : ''}`;
  });
}

function toAttachment({ target, connection }: AttachedVolume): VolumeAttachment {
  const { uuid: targetUuid, volumeId, bootIndex } = target;
  return { nodeUuid, targetUuid, volumeId, bootIndex, connection, attachedAt: timestamp() };
}

describe('reconciling', () => {
  it('finds what is held for the instance on volumes that no record names', async () => {
    const bench = new CinderBench();
    await bench.attach();
    const task = bench.nodeTask({ provisionState: 'active' }, { volumeTargets: [] });
    const [key = ''] = bench.journal.notes().keys();
    await bench.journal.delete(key);
    expect(summary(await bench.driver.reconcile(task, [], true))).toEqual(['leaked ours repaired']);
    expect([bench.service.leaks(), bench.service.volumes.get(bench.volumeId())?.metadata]).toEqual([[], {}]);
  });

  it('finds them by their mark on a service without attachments', async () => {
    const bench = new CinderBench();
    bench.service.minor = 20;
    await bench.attach();
    const findings = await bench.driver.reconcile(bench.nodeTask({}, { volumeTargets: [] }), [], true);
    expect(summary(findings)).toEqual(['leaked ours repaired']);
    expect([bench.service.leaks(), bench.service.volumes.get(bench.volumeId())?.metadata]).toEqual([[], {}]);
  });

  it('leaves what others may have made in the name of the instance, and says how to delete it', async () => {
    const bench = new CinderBench();
    const { id } = await bench.service.createAttachment(bench.volumeId(), instanceUuid, signal);
    const findings = await bench.driver.reconcile(bench.nodeTask({ instanceUuid }), [], true);
    expect(summary(findings)).toEqual(['leaked']);
    expect(findings[0]?.explanation).toContain(`volume attachment delete ${id}`);
    expect(bench.service.attachments.has(id)).toBe(true);
  });

  it('is not deceived by a mark in the metadata', async () => {
    const bench = new CinderBench();
    await bench.service.setVolumeMetadata(
      bench.volumeId(),
      { [`ironic_node_${nodeUuid}`]: JSON.stringify({ instance_uuid: stranger, last_action: 'attached' }) },
      signal,
    );
    await bench.service.createAttachment(bench.volumeId(), stranger, signal);
    bench.changes();
    const findings = await bench.driver.reconcile(bench.task(), [], true);
    expect(summary(findings)).toEqual(['foreign']);
    expect(bench.changes()).toEqual([]);
  });

  it('forgets a note about a volume that Cinder does not hold for the node', async () => {
    const bench = new CinderBench();
    await bench.attach();
    bench.service.attachments.clear();
    bench.service.addVolume(bench.volumeId());
    expect(await bench.driver.reconcile(bench.task(), [], false)).toEqual([]);
    expect(bench.journal.notes().size).toBe(1);
    expect(await bench.driver.reconcile(bench.task(), [], true)).toEqual([]);
    expect(bench.journal.notes().size).toBe(0);
  });

  it('releases what is proven beside the attachment that is expected, and leaves what is not', async () => {
    const bench = new CinderBench();
    const task = bench.nodeTask({ instanceUuid });
    const [volume] = await bench.attach(task);
    const [rightful = ''] = bench.service.attachments.keys();
    const { id: spare } = await bench.service.createAttachment(bench.volumeId(), instanceUuid, signal);
    Object.assign(bench.service.attachments.get(spare) ?? {}, { status: 'attached', connector: { host: nodeUuid } });
    const { id: unproven } = await bench.service.createAttachment(bench.volumeId(), instanceUuid, signal);
    const expected = volume === undefined ? [] : [toAttachment(volume)];
    const findings = await bench.driver.reconcile(task, expected, true);
    expect(summary(findings).toSorted()).toEqual(['leaked', 'leaked ours repaired']);
    expect([...bench.service.attachments.keys()]).toEqual([rightful, unproven]);
    expect(bench.journal.notes().size).toBe(1);
  });

  it('releases a reservation that was made late, by a request whose answer was lost', async () => {
    const bench = new CinderBench();
    bench.service.fail('createAttachment', 'before');
    const [volume] = await bench.attach();
    await bench.service.createAttachment(bench.volumeId(), bench.nodeUuid, signal);
    const expected = volume === undefined ? [] : [toAttachment(volume)];
    expect(summary(await bench.driver.reconcile(bench.task(), expected, true))).toEqual(['leaked ours repaired']);
    expect([...bench.service.attachments.values()]).toMatchObject([{ status: 'attached' }]);
  });

  it('releases a reservation that the last request of a conductor that died has made late', async () => {
    const bench = new CinderBench();
    const died = Promise.withResolvers<void>();
    bench.service.onCreate = async () => {
      died.resolve();
      await new Promise<never>(() => {});
    };
    void bench.attach();
    await died.promise;
    bench.service.onCreate = () => Promise.resolve();
    const [volume] = await bench.attach();
    await bench.service.createAttachment(bench.volumeId(), bench.nodeUuid, signal);
    const expected = volume === undefined ? [] : [toAttachment(volume)];
    expect(summary(await bench.driver.reconcile(bench.task(), expected, true))).toEqual(['leaked ours repaired']);
  });

  it('leaves an attachment alone that somebody has failed to end', async () => {
    const bench = new CinderBench();
    const [volume] = await bench.attach();
    for (const attachment of bench.service.attachments.values()) attachment.status = 'error_detaching';
    const expected = volume === undefined ? [] : [toAttachment(volume)];
    expect(await bench.driver.reconcile(bench.task(), expected, true)).toEqual([]);
    expect(bench.service.attachments.size).toBe(1);
  });

  it('says why a repair failed', async () => {
    const bench = new CinderBench({ actionRetries: 0 });
    await bench.attach();
    bench.service.refusesToRelease.add(bench.volumeId());
    const findings = await bench.driver.reconcile(bench.task(), [], true);
    expect(summary(findings)).toEqual(['leaked ours']);
    expect(findings[0]?.explanation).toMatch(/Releasing it failed: Volume .* is not released/);
  });

  it('keeps the mark of a volume that an active node will attach again', async () => {
    const bench = new CinderBench();
    await bench.attach();
    await bench.driver.reconcile(bench.nodeTask({ provisionState: 'active' }), [], true);
    expect(Object.keys(bench.service.volumes.get(bench.volumeId())?.metadata ?? {})).toHaveLength(1);
  });
});

describe('volumes of unknown nodes', () => {
  async function find(mark: string, key = `ironic_node_${nodeUuid}`, status = 'in-use') {
    const bench = new CinderBench();
    await bench.attach();
    Object.assign(bench.service.volumes.get(bench.volumeId()) ?? {}, { metadata: { [key]: mark }, status });
    if (status !== 'in-use') bench.service.attachments.clear();
    return await bench.driver.findOrphans(() => false, signal);
  }

  const mark = (instance: string, action = 'attached') =>
    JSON.stringify({ instance_uuid: instance, last_seen: '2026-01-02T03:04:05', last_action: action });

  it.each([
    ['that are attached as their mark says', mark(nodeUuid), undefined, undefined, ['leaked']],
    [
      'that are attached to the node, for another instance than marked',
      mark(stranger),
      undefined,
      undefined,
      ['leaked'],
    ],
    ['that are on their way to the node', mark(nodeUuid), undefined, 'reserved', ['leaked']],
    ['but not those that were released', mark(nodeUuid, 'detached'), undefined, 'available', []],
    ['but not those with a mark that cannot be read', 'forged', undefined, undefined, []],
    ['but not those with a mark for no uuid', mark(nodeUuid), 'ironic_node_$(reboot)', undefined, []],
  ])('are found: %s', async (_title, text, key, status, expected) => {
    const findings = await find(text, key, status);
    expect(summary(findings)).toEqual(expected);
  });
});

import type { VolumeOutcome } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

/** What the notifications with this name say of the volumes, and as a whole. */
function told(lab: Lab, eventType: string) {
  return lab.published
    .filter((notification) => notification.eventType === `baremetal.node.${eventType}`)
    .map(
      ({ payload }) =>
        payload.data as { readonly volumes: readonly Record<string, unknown>[]; readonly error?: string },
    );
}

async function nodeWithTwoVolumes(lab: Lab): Promise<{ readonly uuid: string; readonly targets: readonly string[] }> {
  const uuid = await volumeNode(lab);
  await lab.engine.volumeTargets.create({
    nodeUuid: uuid,
    volumeType: 'iscsi',
    bootIndex: 1,
    volumeId: 'volume-1',
    properties: { target_portal: '192.0.2.1:3260', target_iqn: 'iqn.2026-01.org.example:volume-1', target_lun: 0 },
  });
  const targets = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid }, sortKey: 'bootIndex' });
  return { uuid, targets: targets.map((target) => target.uuid) };
}

const outcome = (volumeId: string, changes: Partial<VolumeOutcome>): VolumeOutcome => {
  return { volumeId, result: 'attached', durationMs: 12, error: null, ...changes };
};

describe('the notifications of an attachment', () => {
  it('say at the beginning which volumes it is about', async () => {
    const lab = await createLab();
    const { uuid, targets } = await nodeWithTwoVolumes(lab);
    await provision(lab, uuid, 'deploy');
    const nothingYet = { result: null, duration_ms: null, error: null };
    expect(told(lab, 'storage_attach.start')).toMatchObject([
      {
        volumes: [
          { uuid: targets[0], volume_id: 'volume-0', boot_index: 0, ...nothingYet },
          { uuid: targets[1], volume_id: 'volume-1', boot_index: 1, ...nothingYet },
        ],
      },
    ]);
  });

  it('say at the end what the driver has reported of each volume', async () => {
    const lab = await createLab();
    const { uuid, targets } = await nodeWithTwoVolumes(lab);
    lab.outcomes = [outcome('volume-1', { durationMs: 34 }), outcome('volume-0', { result: 'adopted' })];
    await provision(lab, uuid, 'deploy');
    expect(told(lab, 'storage_attach.end')[0]?.volumes).toEqual([
      { uuid: targets[0], volume_id: 'volume-0', boot_index: 0, result: 'adopted', duration_ms: 12, error: null },
      { uuid: targets[1], volume_id: 'volume-1', boot_index: 1, result: 'attached', duration_ms: 34, error: null },
    ]);
  });

  it('give a volume the result of the whole when the driver says nothing of it', async () => {
    const lab = await createLab();
    const { uuid } = await nodeWithTwoVolumes(lab);
    lab.outcomes = [outcome('volume-0', { result: 'adopted' })];
    await provision(lab, uuid, 'deploy');
    const results = told(lab, 'storage_attach.end')[0]?.volumes.map(({ result, duration_ms: ms }) => [
      result,
      typeof ms,
    ]);
    expect(results).toEqual([
      ['adopted', 'number'],
      ['attached', 'number'],
    ]);
  });

  it('say of a failure which volume it was', async () => {
    const lab = await createLab();
    const { uuid } = await nodeWithTwoVolumes(lab);
    lab.failing.add('attach');
    lab.outcomes = [
      outcome('volume-0', {}),
      outcome('volume-1', { result: 'failed', error: 'The volume is gone.' }),
      outcome('volume-0', { result: 'released' }),
    ];
    await provision(lab, uuid, 'deploy');
    expect(told(lab, 'storage_attach.error')).toMatchObject([
      {
        error: 'attach failed.',
        volumes: [
          { volume_id: 'volume-0', result: 'released', error: null },
          { volume_id: 'volume-1', result: 'failed', error: 'The volume is gone.' },
        ],
      },
    ]);
  });

  it('count every volume as failed when a driver that reports nothing fails', async () => {
    const lab = await createLab();
    const { uuid } = await nodeWithTwoVolumes(lab);
    lab.failing.add('attach');
    await provision(lab, uuid, 'deploy');
    const [error] = told(lab, 'storage_attach.error');
    expect(error?.volumes.map(({ result, error: reason }) => [result, reason])).toEqual([
      ['failed', 'attach failed.'],
      ['failed', 'attach failed.'],
    ]);
  });
});

describe('the notifications of a release', () => {
  it('tell of volumes that only the records or only the driver know', async () => {
    const lab = await createLab();
    const { uuid, targets } = await nodeWithTwoVolumes(lab);
    await provision(lab, uuid, 'deploy');
    await lab.store.volumeTargets.delete(targets[1] ?? '');
    lab.outcomes = [
      outcome('volume-0', { result: 'released' }),
      outcome('volume-1', { result: 'absent' }),
      outcome('volume-9', { result: 'released' }),
    ];
    await provision(lab, uuid, 'undeploy');
    expect(told(lab, 'storage_detach.end')[0]?.volumes).toEqual([
      { uuid: targets[0], volume_id: 'volume-0', boot_index: 0, result: 'released', duration_ms: 12, error: null },
      { uuid: targets[1], volume_id: 'volume-1', boot_index: 1, result: 'absent', duration_ms: 12, error: null },
      { uuid: null, volume_id: 'volume-9', boot_index: null, result: 'released', duration_ms: 12, error: null },
    ]);
  });

  it('count every volume as released when a driver that reports nothing succeeds', async () => {
    const lab = await createLab();
    const { uuid } = await nodeWithTwoVolumes(lab);
    await provision(lab, uuid, 'deploy');
    await provision(lab, uuid, 'undeploy');
    const results = told(lab, 'storage_detach.end')[0]?.volumes.map(({ result }) => result);
    expect(results).toEqual(['released', 'released']);
  });
});

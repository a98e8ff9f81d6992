import { describe, expect, it } from 'vitest';
import { activeNode, createLab, provision, volumeNode, type Lab } from './fixture.ts';

/** Samples of the metrics with this name that are not 0, labels as they are written. */
async function counted({ engine }: Pick<Lab, 'engine'>, name: string): Promise<Readonly<Record<string, number>>> {
  const all = Object.entries(await samples({ engine }, name));
  return Object.fromEntries(all.filter(([, value]) => value !== 0));
}

/** Samples of the metrics with this name, labels as they are written. */
async function samples({ engine }: Pick<Lab, 'engine'>, name: string): Promise<Readonly<Record<string, number>>> {
  const lines = (await engine.metrics()).split('\n').filter((line) => /^\w+/.exec(line)?.[0] === name);
  return Object.fromEntries(lines.map((line) => [/\{(.*)\}/.exec(line)?.[1] ?? '', Number(line.split(' ').at(-1))]));
}

describe('the metrics', () => {
  it('begin at 0, so that the first failure is seen as an increase', async () => {
    const lab = await createLab();
    expect(await samples(lab, 'ironbark_storage_volumes_total')).toMatchObject({
      'action="attach",result="failed"': 0,
      'action="detach",result="failed"': 0,
    });
    expect(await samples(lab, 'ironbark_operations_total')).toMatchObject({
      'verb="deploy",result="failed"': 0,
      'verb="power off",result="succeeded"': 0,
      'verb="detach",result="failed"': 0,
    });
  });

  it('count what becomes of each volume', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.outcomes = [{ volumeId: 'volume-0', result: 'adopted', durationMs: 2000, error: null }];
    await provision(lab, uuid, 'deploy');
    lab.outcomes = [];
    lab.failing.add('detach');
    await provision(lab, uuid, 'undeploy');
    expect(await counted(lab, 'ironbark_storage_volumes_total')).toEqual({
      'action="attach",result="adopted"': 1,
      'action="detach",result="failed"': 1,
    });
    expect(await samples(lab, 'ironbark_storage_volume_duration_seconds_sum')).toMatchObject({ 'action="attach"': 2 });
    expect(await samples(lab, 'ironbark_storage_volume_duration_seconds_bucket')).toMatchObject({
      'le="1",action="attach"': 0,
      'le="2.5",action="attach"': 1,
    });
  });

  it('count although the tap of a plugin fails', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const { notification, operationFinished, powerSyncFailed } = lab.engine.hooks;
    for (const hook of [notification, operationFinished, powerSyncFailed]) {
      hook.tap('plugin', () => {
        throw new Error('The message bus is down.');
      });
    }
    const engine = lab.restart();
    await provision(lab, uuid, 'deploy');
    lab.failing.add('get power state');
    await lab.engine.syncPowerStates();
    for (const name of [
      'ironbark_storage_volumes_total',
      'ironbark_operations_total',
      'ironbark_power_sync_failures_total',
    ])
      expect(Object.values(await counted({ engine }, name))).toEqual([1]);
  });

  it('count operations by verb and result', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('power off');
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    expect(await counted(lab, 'ironbark_operations_total')).toEqual({
      'verb="deploy",result="succeeded"': 1,
      'verb="power off",result="failed"': 1,
    });
    expect(await samples(lab, 'ironbark_operation_duration_seconds_count')).toEqual({
      'verb="deploy"': 1,
      'verb="power off"': 1,
    });
  });

  it('tell how many nodes are in each provision state now', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.create({ driver: 'test' });
    expect(await samples(lab, 'ironbark_nodes')).toEqual({
      'provision_state="available"': 1,
      'provision_state="enroll"': 1,
    });
    await provision(lab, uuid, 'deploy');
    expect(await samples(lab, 'ironbark_nodes')).toEqual({
      'provision_state="active"': 1,
      'provision_state="enroll"': 1,
    });
  });

  it('tell what disagreed at the last comparison with the storage services', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on', { storage: 'books' });
    expect(await samples(lab, 'ironbark_reconcile_findings')).toEqual({});
    lab.books.held.set(uuid, ['one', 'two']);
    await lab.engine.reconcile(null, { repair: false });
    expect(await samples(lab, 'ironbark_reconcile_findings')).toEqual({
      'kind="leaked"': 2,
      'kind="missing"': 1,
      'kind="foreign"': 0,
    });
    lab.books.held.set(uuid, ['volume-0']);
    await lab.engine.reconcile(null, { repair: false });
    expect(await samples(lab, 'ironbark_reconcile_findings')).toMatchObject({
      'kind="leaked"': 0,
      'kind="missing"': 0,
    });
  });

  it('count power states that could not be read', async () => {
    const lab = await createLab();
    await volumeNode(lab);
    lab.failing.add('get power state');
    await lab.engine.syncPowerStates();
    await lab.engine.syncPowerStates();
    expect(await samples(lab, 'ironbark_power_sync_failures_total')).toEqual({ '': 2 });
  });
});

import { describe, expect, it } from 'vitest';
import type { Operation } from '@ironbark/store';
import { provisionDefinitions } from '../src/operations/definitions.ts';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

/** Puts the store into the state that a kill leaves: the named step was running. */
async function interruptedOperation(
  lab: Lab,
  uuid: string,
  verb: 'deploy' | 'undeploy',
  runningIndex: number,
  names: readonly string[] = provisionDefinitions[verb]?.steps ?? [],
): Promise<Operation> {
  const lock = await lab.store.locks.acquire(uuid, 'conductor-1', 60_000);
  if (lock === undefined) throw new Error('the node is locked');
  const steps = names.map((name, index): Operation['steps'][number] => ({
    name,
    state: index < runningIndex ? 'succeeded' : index === runningIndex ? 'running' : 'pending',
    compensation: false,
    attempts: index <= runningIndex ? 1 : 0,
    startedAt: null,
    finishedAt: null,
    error: null,
  }));
  const operation: Operation = {
    uuid: crypto.randomUUID(),
    nodeUuid: uuid,
    verb,
    state: 'running',
    steps,
    parameters: {},
    error: null,
    createdAt: 'now',
    finishedAt: null,
  };
  await lab.store.operations.insert(operation, lock);
  await lab.store.nodes.update(uuid, { provisionState: verb === 'deploy' ? 'deploying' : 'deleting' }, lock);
  return operation;
}

const steps = (verb: 'deploy' | 'undeploy') =>
  (provisionDefinitions[verb]?.steps ?? []).map((name, index) => [name, index] as const);

describe('after a crash', () => {
  it.each(steps('deploy'))(
    'a deployment that was in step %s goes on there and ends in active',
    async (_name, index) => {
      const lab = await createLab();
      const uuid = await volumeNode(lab);
      await lab.store.attachments.replace(uuid, []);
      if (index > 1) await attachAsBefore(lab, uuid);
      const operation = await interruptedOperation(lab, uuid, 'deploy', index);
      const restarted = lab.restart();
      await restarted.start();
      await restarted.idle();
      expect(await restarted.nodes.get(uuid)).toMatchObject({ provisionState: 'active', reservation: null });
      const resumed = await restarted.operations.get(operation.uuid);
      expect(resumed.state).toBe('succeeded');
      expect(resumed.steps[index]?.attempts).toBe(2);
      expect(resumed.steps[index + 1]?.attempts ?? 1).toBe(1);
      await restarted.stop(0);
    },
  );

  it.each(steps('undeploy'))(
    'an undeployment that was in step %s goes on there and ends in available',
    async (_name, index) => {
      const lab = await createLab();
      const uuid = await volumeNode(lab);
      await provision(lab, uuid, 'deploy');
      const names = provisionDefinitions.undeploy?.steps ?? [];
      if (index > names.indexOf('power.off')) lab.powerStates.set(uuid, 'power off');
      if (index > names.indexOf('storage.detach')) lab.attached.delete(uuid);
      if (index > names.indexOf('boot.clean_up')) lab.bootFiles.delete(uuid);
      await interruptedOperation(lab, uuid, 'undeploy', index);
      const restarted = lab.restart();
      await restarted.start();
      await restarted.idle();
      expect(await restarted.nodes.get(uuid)).toMatchObject({ provisionState: 'available', reservation: null });
      expect(lab.attached.size + lab.bootFiles.size).toBe(0);
      await restarted.stop(0);
    },
  );

  it('a deployment that an earlier version has stored ends in active, with the steps that it had', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const earlier = provisionDefinitions.deploy?.steps.filter((name) => name !== 'management.sync_firmware');
    const operation = await interruptedOperation(lab, uuid, 'deploy', 1, earlier);
    const restarted = lab.restart();
    await restarted.start();
    await restarted.idle();
    expect((await restarted.nodes.get(uuid)).provisionState).toBe('active');
    expect((await restarted.operations.get(operation.uuid)).steps.map(({ name }) => name)).toEqual(earlier);
    await restarted.power.request(uuid, 'rebooting', null);
    await restarted.idle();
    expect((await restarted.nodes.get(uuid)).lastError).toBeNull();
    await restarted.stop(0);
  });

  it('a lock without an operation is released', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.store.locks.acquire(uuid, 'conductor-1', 60_000);
    const restarted = lab.restart();
    await restarted.start();
    expect((await restarted.nodes.get(uuid)).reservation).toBeNull();
    await restarted.stop(0);
  });

  it("another conductor's operation is left alone while its lease lasts, and taken over afterwards", async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await interruptedOperation(lab, uuid, 'deploy', 0);
    const other = lab.restart({ hostname: 'conductor-2' });
    await other.start();
    await other.idle();
    expect((await other.nodes.get(uuid)).provisionState).toBe('deploying');
    await lab.store.locks.renew('conductor-1', -1);
    await other.start();
    await other.idle();
    expect((await other.nodes.get(uuid)).provisionState).toBe('active');
    await other.stop(0);
  });
});

describe('at shutdown', () => {
  it('the running step ends, the next one does not begin, and the operation goes on after the restart', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const { promise: attaching, resolve: begun } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.onCall = async (call) => {
      if (call !== 'attach') return;
      begun();
      await released;
    };
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await attaching;
    const stopped = lab.engine.stop(60_000);
    release();
    await stopped;
    expect(lab.calls).toEqual(['attach']);
    expect((await lab.engine.nodes.get(uuid)).provisionState).toBe('deploying');
    const restarted = lab.restart();
    await restarted.start();
    await restarted.idle();
    expect((await restarted.nodes.get(uuid)).provisionState).toBe('active');
    expect(lab.calls.filter((call) => call === 'attach')).toHaveLength(1);
    await restarted.stop(0);
  });

  it('a step that outlasts the grace time is aborted and runs again after the restart', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const { promise: attaching, resolve: begun } = Promise.withResolvers<void>();
    lab.onCall = (call, task) => {
      if (call !== 'attach') return undefined;
      begun();
      return new Promise((_resolve, reject) =>
        task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)),
      );
    };
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await attaching;
    await lab.engine.stop(10);
    expect((await lab.engine.nodes.get(uuid)).provisionState).toBe('deploying');
    lab.onCall = undefined;
    const restarted = lab.restart();
    await restarted.start();
    await restarted.idle();
    expect((await restarted.nodes.get(uuid)).provisionState).toBe('active');
    await restarted.stop(0);
  });
});

async function attachAsBefore(lab: Lab, uuid: string): Promise<void> {
  const [target] = await lab.store.volumeTargets.list({ filter: { nodeUuid: uuid } });
  if (target === undefined) throw new Error('the node has no target');
  lab.attached.add(uuid);
  await lab.store.attachments.replace(uuid, [
    {
      nodeUuid: uuid,
      targetUuid: target.uuid,
      volumeId: target.volumeId,
      bootIndex: 0,
      connection: {
        kind: 'iscsi',
        paths: [{ portal: { host: '192.0.2.1', port: 3260 }, iqn: 'iqn.2026-01.org.example:volume-0', lun: 0 }],
        chap: null,
      },
      attachedAt: 'now',
    },
  ]);
}

import { describe, expect, it, vi } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('what a hostile moment must not break', () => {
  it('a boot target without a connection stops the deployment, instead of booting the local disk', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.connects = false;
    const node = await provision(lab, uuid, 'deploy');
    expect(node).toMatchObject({
      provisionState: 'deploy failed',
      lastError: expect.stringContaining('gave no connection'),
    });
  });

  it('a machine that its deploy interface has powered on is powered off before its volumes are taken back', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.onCall = (call) => {
      if (call === 'deploy') lab.powerStates.set(uuid, 'power on');
    };
    lab.failing.add('write boot files');
    await provision(lab, uuid, 'deploy');
    expect(lab.calls.slice(-2)).toEqual(['power off', 'detach']);
  });

  it.each(['volumeTargets', 'volumeConnectors'] as const)(
    '%s are not changed while volumes are attached, also when the machine is off',
    async (name) => {
      const lab = await createLab();
      const uuid = await volumeNode(lab);
      await provision(lab, uuid, 'deploy');
      lab.failing.add('detach');
      await lab.engine.power.request(uuid, 'power off', null);
      await lab.engine.idle();
      const records = lab.engine[name];
      const [record] = await records.list({ filter: { nodeUuid: uuid } });
      const refused = { status: 400, message: expect.stringContaining('while volumes are attached') };
      await expect(records.update(record?.uuid ?? '', () => ({ extra: { a: 1 } }))).rejects.toMatchObject(refused);
      await expect(records.delete(record?.uuid ?? '')).rejects.toMatchObject(refused);
    },
  );

  it('a heartbeat does not undo what an operation writes beside it', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, {
      provisionState: 'wait call-back',
      driverInternalInfo: { boot_from_volume: 'x' },
    });
    const { agentToken } = await lab.engine.agents.lookup({ nodeUuid: uuid });
    const heartbeat = { callbackUrl: 'https://192.0.2.5:9999', agentToken: agentToken.reveal() };
    await Promise.all([
      lab.engine.agents.heartbeat(uuid, heartbeat),
      lab.engine.agents.heartbeat(uuid, { ...heartbeat, agentStatus: 'busy' }),
    ]);
    expect((await lab.engine.nodes.get(uuid)).driverInternalInfo).toMatchObject({
      boot_from_volume: 'x',
      agent_status: 'busy',
    });
  });

  it('two lookups at once get one and the same token', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'wait call-back' });
    const [first, second] = await Promise.all([
      lab.engine.agents.lookup({ nodeUuid: uuid }),
      lab.engine.agents.lookup({ nodeUuid: uuid }),
    ]);
    expect(first.agentToken.reveal()).toBe(second.agentToken.reveal());
    expect([first.agentTokenIsNew, second.agentTokenIsNew].filter(Boolean)).toHaveLength(1);
  });

  it('a request cannot take the lock that a slow operation of the same process holds beyond its lease', async () => {
    const lab = await createLab({ lockLeaseMs: 1 });
    const uuid = await volumeNode(lab);
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.onCall = async (call) => {
      if (call !== 'attach') return;
      begin();
      await released;
    };
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await begun;
    await expect(lab.engine.power.request(uuid, 'power on', null)).rejects.toMatchObject({ code: 'NODE_LOCKED' });
    release();
    await lab.engine.idle();
    expect((await lab.engine.nodes.get(uuid)).provisionState).toBe('active');
  });

  it('an operation that an error of the store interrupted is taken up again', async () => {
    const lab = await createLab({ lockLeaseMs: 60 });
    await lab.engine.start();
    const uuid = await volumeNode(lab);
    vi.spyOn(lab.store.operations, 'update').mockRejectedValueOnce(new Error('disk full'));
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await expect.poll(async () => (await lab.engine.nodes.get(uuid)).provisionState).toBe('active');
  });

  it('a config drive is a secret in whatever form it is given', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.provisioning.request(uuid, { verb: 'deploy', configdrive: { user_data: 'password: hunter2' } });
    await lab.engine.idle();
    const { instanceInfo } = await lab.engine.nodes.get(uuid);
    expect(JSON.stringify(instanceInfo['configdrive'])).toBe('"******"');
  });

  it('a boot report that comes before the deployment has ended is kept', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.onCall = async (call) => {
      const token = /\?token=(\S+)/.exec(lab.bootFiles.get(uuid) ?? '')?.[1];
      if (call === 'power on') await lab.engine.reportBootFailure(uuid, token ?? '', { errno: '0x410d613c' });
    };
    expect(await provision(lab, uuid, 'deploy')).toMatchObject({
      provisionState: 'active',
      lastError: expect.stringContaining('CHAP'),
    });
  });

  it('adoption is refused when the driver cannot boot from the volume', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'manageable' });
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { boot: 'diskless' } }));
    await expect(lab.engine.provisioning.request(uuid, { verb: 'adopt' })).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
    });
  });

  it('a teardown forgets the virtual interfaces of the instance', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.vifs.attach(uuid, 'vif-1');
    await provision(lab, uuid, 'deploy');
    await provision(lab, uuid, 'undeploy');
    expect(await lab.engine.vifs.list(uuid)).toEqual([]);
  });

  it('an operation tells its start through the hook', async () => {
    const lab = await createLab();
    const verbs: string[] = [];
    lab.engine.hooks.operationStarted.tap('test', ({ verb }) => void verbs.push(verb));
    await provision(lab, await volumeNode(lab), 'deploy');
    expect(verbs).toEqual(['deploy']);
  });

  it('the lock of a running operation is renewed', async () => {
    const lab = await createLab({ lockLeaseMs: 60 });
    await lab.engine.start();
    const uuid = await volumeNode(lab);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.onCall = (call) => (call === 'attach' ? released : undefined);
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    const before = await lab.store.locks.find(uuid);
    await expect.poll(async () => (await lab.store.locks.find(uuid))?.expiresAt).not.toBe(before?.expiresAt);
    release();
    await lab.engine.idle();
  });

  it('a conductor that has lost a node writes nothing more of it and releases no lock', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    lab.onCall = async (call) => {
      if (call !== 'power on') return;
      begin();
      await released;
    };
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await begun;
    await lab.store.locks.renew('conductor-1', -1);
    const taken = await lab.store.locks.acquire(uuid, 'conductor-2', 60_000);
    release();
    await lab.engine.idle();
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ powerState: 'power off', provisionState: 'deploying' });
    expect((await lab.store.locks.find(uuid))?.fence).toBe(taken?.fence);
  });

  it('a protected node is not deleted, and only one in use can be protected', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const protect = () => lab.engine.nodes.update(uuid, () => ({ protected: true }));
    await expect(protect()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await provision(lab, uuid, 'deploy');
    await protect();
    await lab.engine.nodes.setMaintenance(uuid, true, null);
    await expect(lab.engine.nodes.delete(uuid)).rejects.toMatchObject({ code: 'NODE_PROTECTED', status: 403 });
  });

  it('a rebuild is refused in maintenance', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'active', maintenance: true });
    await expect(lab.engine.provisioning.request(uuid, { verb: 'rebuild' })).rejects.toMatchObject({
      code: 'NODE_IN_MAINTENANCE',
    });
  });

  it.each(['enroll', 'manageable', 'adopt failed'] as const)(
    'volume records of a node in %s are deleted whatever its power state',
    async (provisionState) => {
      const lab = await createLab();
      const uuid = await volumeNode(lab, { provisionState, powerState: 'power on' });
      const [connector] = await lab.engine.volumeConnectors.list({ filter: { nodeUuid: uuid } });
      await lab.engine.volumeConnectors.delete(connector?.uuid ?? '');
      expect(await lab.engine.volumeConnectors.list({ filter: { nodeUuid: uuid } })).toEqual([]);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('node records', () => {
  it('get the default interfaces of their hardware type', async () => {
    const lab = await createLab();
    const node = await lab.engine.nodes.create({ driver: 'test' });
    expect(node).toMatchObject({
      provisionState: 'enroll',
      interfaces: {
        power: 'test',
        management: 'test',
        boot: 'test',
        storage: 'test',
        deploy: 'test',
        vendor: 'test',
        network: 'noop',
      },
    });
  });

  it.each([
    ['an unknown driver', { driver: 'nothing' }, 404],
    ['an interface that is not enabled', { driver: 'test', interfaces: { boot: 'ipxe' } }, 400],
    ['a name that is a path', { driver: 'test', name: '../x' }, 400],
    ['a name that looks like a uuid', { driver: 'test', name: '11111111-1111-4111-8111-111111111111' }, 400],
    ['a chassis that does not exist', { driver: 'test', chassisUuid: '11111111-1111-4111-8111-111111111111' }, 400],
  ])('are refused with %s', async (_what, input, status) => {
    const lab = await createLab();
    await expect(lab.engine.nodes.create(input)).rejects.toMatchObject({ status });
  });

  it('keep their interfaces while the node is in use', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await expect(lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'noop' } }))).rejects.toMatchObject({
      code: 'INVALID_STATE',
      status: 409,
    });
    await lab.engine.nodes.setMaintenance(uuid, true, null);
    const node = await lab.engine.nodes.update(uuid, () => ({ interfaces: { deploy: 'volume' } }));
    expect(node.interfaces.deploy).toBe('volume');
  });

  it('keep the storage interface that has attached their volumes, in maintenance too', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.engine.nodes.setMaintenance(uuid, true, null);
    await expect(lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'noop' } }))).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('could not release them'),
    });
  });

  it('of an active node are not deleted', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await expect(lab.engine.nodes.delete(uuid)).rejects.toMatchObject({ code: 'INVALID_STATE', status: 409 });
  });

  it('of another instance are not taken over', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { instanceUuid: '11111111-1111-4111-8111-111111111111' });
    const edit = () => ({ instanceUuid: '22222222-2222-4222-8222-222222222222' });
    await expect(lab.engine.nodes.update(uuid, edit)).rejects.toMatchObject({ code: 'NODE_ASSOCIATED', status: 409 });
  });
});

describe('a locked node', () => {
  it('answers with the text that clients know', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.store.locks.acquire(uuid, 'conductor-9', 60_000);
    const text = `Node ${uuid} is locked by host conductor-9, please retry after the current operation is completed.`;
    for (const attempt of [
      lab.engine.nodes.update(uuid, () => ({ description: 'x' })),
      lab.engine.power.request(uuid, 'power on', null),
      lab.engine.provisioning.request(uuid, { verb: 'deploy' }),
      lab.engine.provisioning.request(uuid, { verb: 'undeploy' }),
      lab.engine.nodes.delete(uuid),
      lab.engine.volumeTargets.create({ nodeUuid: uuid, volumeType: 'iscsi', bootIndex: 1, volumeId: 'v' }),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'NODE_LOCKED', status: 409, message: text });
    }
  });

  it('is waited for a little', async () => {
    const lab = await createLab({ lockWaitMs: 10_000 });
    const uuid = await volumeNode(lab);
    const lock = await lab.store.locks.acquire(uuid, 'conductor-9', 60_000);
    const update = lab.engine.nodes.update(uuid, () => ({ description: 'waited' }));
    if (lock !== undefined) await lab.store.locks.release(lock);
    expect((await update).description).toBe('waited');
  });

  it('loses no update when two clients write at once', async () => {
    const lab = await createLab({ lockWaitMs: 10_000 });
    const uuid = await volumeNode(lab);
    const add = (key: string) => lab.engine.nodes.update(uuid, ({ extra }) => ({ extra: { ...extra, [key]: true } }));
    await Promise.all([add('a'), add('b'), add('c')]);
    expect((await lab.engine.nodes.get(uuid)).extra).toEqual({ a: true, b: true, c: true });
  });
});

describe('volume records', () => {
  it.each([
    ['power on', 'power on'],
    [null, 'None'],
  ] as const)('are not changed while the power state is %s', async (powerState, shown) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { powerState });
    const [target] = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } });
    const [connector] = await lab.engine.volumeConnectors.list({ filter: { nodeUuid: uuid } });
    await expect(lab.engine.volumeTargets.update(target?.uuid ?? '', () => ({ extra: {} }))).rejects.toMatchObject({
      status: 400,
      message: `The requested action "volume target update" can not be performed on node "${uuid}" while it is in state "${shown}".`,
    });
    await expect(lab.engine.volumeConnectors.delete(connector?.uuid ?? '')).rejects.toMatchObject({
      status: 400,
      message: `The requested action "volume connector deletion" can not be performed on node "${uuid}" while it is in state "${shown}".`,
    });
  });

  it('announce their creation, change and deletion', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.notifications.length = 0;
    const target = await lab.engine.volumeTargets.create({
      nodeUuid: uuid,
      volumeType: 'iscsi',
      bootIndex: 1,
      volumeId: 'v',
    });
    await lab.engine.volumeTargets.update(target.uuid, () => ({ volumeId: 'w' }));
    await lab.engine.volumeTargets.delete(target.uuid);
    expect(lab.notifications).toEqual(
      ['create', 'update', 'delete'].flatMap((action) => [
        `baremetal.volumetarget.${action}.start`,
        `baremetal.volumetarget.${action}.end`,
      ]),
    );
  });

  it('announce a refused creation as an error', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.notifications.length = 0;
    const second = lab.engine.volumeTargets.create({
      nodeUuid: uuid,
      volumeType: 'iscsi',
      bootIndex: 0,
      volumeId: 'v',
    });
    await expect(second).rejects.toMatchObject({ code: 'DUPLICATE', status: 409 });
    expect(lab.notifications).toEqual(['baremetal.volumetarget.create.start', 'baremetal.volumetarget.create.error']);
  });

  it('name a node that exists', async () => {
    const lab = await createLab();
    const input = {
      nodeUuid: '11111111-1111-4111-8111-111111111111',
      type: 'iqn',
      connectorId: 'iqn.2026-01.org.example:a',
    };
    await expect(lab.engine.volumeConnectors.create(input)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('could not be found'),
    });
  });
});

describe('ports', () => {
  it('keep their address in one form, and it is unique', async () => {
    const lab = await createLab();
    const { uuid } = await lab.engine.nodes.create({ driver: 'test' });
    expect((await lab.engine.ports.create({ nodeUuid: uuid, address: '52-54-00-AA-BB-CC' })).address).toBe(
      '52:54:00:aa:bb:cc',
    );
    await expect(lab.engine.ports.create({ nodeUuid: uuid, address: '52:54:00:aa:bb:cc' })).rejects.toMatchObject({
      code: 'DUPLICATE',
    });
    await expect(lab.engine.ports.create({ nodeUuid: uuid, address: '52:54' })).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
    });
  });

  it('carry the virtual interfaces of the instance, one each', async () => {
    const lab = await createLab();
    const { uuid } = await lab.engine.nodes.create({ driver: 'test' });
    await lab.engine.ports.create({ nodeUuid: uuid, address: '52:54:00:00:00:01', pxeEnabled: false });
    const pxe = await lab.engine.ports.create({ nodeUuid: uuid, address: '52:54:00:00:00:02' });
    await lab.engine.vifs.attach(uuid, 'vif-1');
    expect((await lab.engine.ports.get(pxe.uuid)).internalInfo).toEqual({ tenant_vif_port_id: 'vif-1' });
    await expect(lab.engine.vifs.attach(uuid, 'vif-1')).rejects.toMatchObject({ status: 409 });
    await lab.engine.vifs.attach(uuid, 'vif-2');
    await expect(lab.engine.vifs.attach(uuid, 'vif-3')).rejects.toMatchObject({ status: 400 });
    await expect(lab.engine.ports.delete(pxe.uuid)).rejects.toMatchObject({ status: 409 });
    await lab.engine.vifs.detach(uuid, 'vif-1');
    expect(await lab.engine.vifs.list(uuid)).toEqual(['vif-2']);
  });
});

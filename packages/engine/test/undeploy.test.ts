import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

async function activeNode(lab: Lab): Promise<string> {
  const uuid = await volumeNode(lab);
  await provision(lab, uuid, 'deploy');
  await lab.engine.nodes.update(uuid, () => ({
    instanceUuid: '11111111-1111-4111-8111-111111111111',
    instanceInfo: { display_name: 'web' },
  }));
  lab.calls.length = 0;
  lab.notifications.length = 0;
  return uuid;
}

describe('undeploying', () => {
  it('removes the boot files, powers off, detaches, and forgets the instance', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab);
    const node = await provision(lab, uuid, 'undeploy');
    expect(lab.calls).toEqual(['remove boot files', 'power off', 'detach', 'clean up deployment']);
    expect(node).toMatchObject({
      provisionState: 'available',
      targetProvisionState: null,
      instanceUuid: null,
      instanceInfo: {},
      driverInternalInfo: {},
    });
    expect(await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } })).toEqual([]);
    expect(await lab.engine.volumeConnectors.list({ filter: { nodeUuid: uuid } })).toHaveLength(1);
  });

  it('announces the detachment and the deleted targets', async () => {
    const lab = await createLab();
    await provision(lab, await activeNode(lab), 'undeploy');
    expect(lab.notifications).toEqual([
      'baremetal.node.provision_set.start',
      'baremetal.node.storage_detach.start',
      'baremetal.node.storage_detach.end',
      'baremetal.volumetarget.delete.start',
      'baremetal.volumetarget.delete.end',
      'baremetal.node.provision_set.end',
    ]);
  });

  it('keeps the instance and the targets until the detachment is proven, and finishes when it is repeated', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab);
    lab.failing.add('detach');
    const failed = await provision(lab, uuid, 'undeploy');
    expect(failed).toMatchObject({
      provisionState: 'error',
      instanceUuid: expect.any(String),
      lastError: expect.stringContaining('detach failed.'),
    });
    expect(await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } })).toHaveLength(1);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
    lab.failing.clear();
    expect(await provision(lab, uuid, 'undeploy')).toMatchObject({
      provisionState: 'available',
      instanceUuid: null,
      lastError: null,
    });
    expect(lab.attached.has(uuid)).toBe(false);
  });

  it('detaches what only the storage driver has written down, when the records list no targets any more', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab);
    const [target] = await lab.store.volumeTargets.list({ filter: { nodeUuid: uuid } });
    await lab.store.volumeTargets.delete(target?.uuid ?? '');
    await lab.store.attachments.replace(uuid, []);
    await lab.store.journal.put(uuid, 'storage', 'attachment', 'id-1');
    expect((await provision(lab, uuid, 'undeploy')).provisionState).toBe('available');
    expect(lab.calls).toContain('detach');
  });

  it('is not done while the machine is powered on again by somebody else', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab);
    lab.engine.hooks.afterPowerChange.tap('somebody else', () => void lab.powerStates.set(uuid, 'power on'));
    expect(await provision(lab, uuid, 'undeploy')).toMatchObject({
      provisionState: 'error',
      powerState: 'power on',
      instanceUuid: expect.any(String),
      lastError: expect.stringContaining('is not off'),
    });
    expect(lab.attached.has(uuid)).toBe(true);
  });

  it('is refused for a protected node', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ protected: true }));
    await expect(lab.engine.provisioning.request(uuid, { verb: 'undeploy' })).rejects.toMatchObject({
      code: 'NODE_PROTECTED',
      status: 403,
    });
  });
});

describe('deleting a node in maintenance', () => {
  async function nodeInMaintenance(lab: Lab, powerState: 'power on' | 'power off'): Promise<string> {
    const uuid = await activeNode(lab);
    lab.powerStates.set(uuid, powerState);
    await lab.engine.nodes.setMaintenance(uuid, true, 'gone');
    return uuid;
  }

  it('detaches its volumes and removes its boot files first', async () => {
    const lab = await createLab();
    const uuid = await nodeInMaintenance(lab, 'power off');
    await lab.engine.nodes.delete(uuid);
    expect(lab.calls).toEqual(['detach', 'remove boot files']);
    expect(lab.notifications).toContain('baremetal.node.storage_detach.end');
  });

  it('detaches them for good, as of a node that is not active any more', async () => {
    const lab = await createLab();
    const uuid = await nodeInMaintenance(lab, 'power off');
    const states: string[] = [];
    lab.engine.hooks.beforeDetach.tap('test', ({ node }) => void states.push(node.provisionState));
    await lab.engine.nodes.delete(uuid);
    expect(states).toEqual(['deleting']);
  });

  it('is refused while its machine runs from the volumes', async () => {
    const lab = await createLab();
    const uuid = await nodeInMaintenance(lab, 'power on');
    await expect(lab.engine.nodes.delete(uuid)).rejects.toMatchObject({ code: 'INVALID_STATE', status: 409 });
    expect(lab.attached.has(uuid)).toBe(true);
  });

  it('is possible when its BMC does not answer any more', async () => {
    const lab = await createLab();
    const uuid = await nodeInMaintenance(lab, 'power on');
    lab.failing.add('get power state');
    await lab.engine.nodes.delete(uuid);
    expect(lab.attached.has(uuid)).toBe(false);
  });

  it('is refused while a volume cannot be detached', async () => {
    const lab = await createLab();
    const uuid = await nodeInMaintenance(lab, 'power off');
    lab.failing.add('detach');
    await expect(lab.engine.nodes.delete(uuid)).rejects.toThrow('detach failed.');
    expect(await lab.engine.nodes.get(uuid)).toBeDefined();
  });

  it('releases what only the storage driver has written down', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.store.journal.put(uuid, 'storage', 'attachment', 'id-1');
    await lab.engine.nodes.delete(uuid);
    expect(lab.calls).toContain('detach');
  });
});

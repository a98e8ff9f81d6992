import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('deploying a node that boots from a volume', () => {
  it('powers off, attaches, renders, sets the boot device and powers on, in this order', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { powerState: 'power on' });
    lab.powerStates.set(uuid, 'power on');
    const node = await provision(lab, uuid, 'deploy');
    expect(lab.calls).toEqual([
      'power off',
      'attach',
      'deploy',
      'write boot files',
      'boot device pxe persistently',
      'power on',
    ]);
    expect(node).toMatchObject({
      provisionState: 'active',
      targetProvisionState: null,
      powerState: 'power on',
      lastError: null,
      reservation: null,
    });
  });

  it('does not ask a machine that is off to power off', async () => {
    const lab = await createLab();
    await provision(lab, await volumeNode(lab), 'deploy');
    expect(lab.calls).not.toContain('power off');
  });

  it('shows the new state and its target before it returns', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({
      provisionState: 'deploying',
      targetProvisionState: 'active',
      reservation: 'conductor-1',
    });
    await lab.engine.idle();
  });

  it('announces the beginning and the end, and the attachment between them', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.notifications.length = 0;
    await provision(lab, uuid, 'deploy');
    expect(lab.notifications).toEqual([
      'baremetal.node.provision_set.start',
      'baremetal.node.storage_attach.start',
      'baremetal.node.storage_attach.end',
      'baremetal.node.provision_set.end',
    ]);
  });

  it('records the boot volume where clients look for it', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const [target] = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } });
    expect((await provision(lab, uuid, 'deploy')).driverInternalInfo['boot_from_volume']).toBe(target?.uuid);
  });

  it.each([
    ['attach', ['deploy failed', false]],
    ['deploy', ['deploy failed', false]],
    ['write boot files', ['deploy failed', false]],
    ['boot device pxe persistently', ['deploy failed', false]],
    ['power on', ['deploy failed', false]],
  ] as const)('takes everything back when "%s" fails', async (failing, [state, attached]) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.failing.add(failing);
    const node = await provision(lab, uuid, 'deploy');
    expect(node.provisionState).toBe(state);
    expect(node.lastError).toContain(`${failing} failed.`);
    expect(lab.attached.has(uuid)).toBe(attached);
    expect(lab.bootFiles.has(uuid)).toBe(false);
    expect(await lab.store.attachments.list(uuid)).toEqual([]);
  });

  it('takes back what only the storage driver has written down before it failed', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.onCall = async (call, { journal }) => {
      if (call === 'attach') await journal.put('volume-0', 'reserved');
    };
    lab.failing.add('attach');
    await provision(lab, uuid, 'deploy');
    expect(lab.calls).toEqual(['detach']);
  });

  it('keeps the volumes of a machine that could not be powered off again', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.onCall = (call) => {
      if (call === 'power on') lab.powerStates.set(uuid, 'power on');
    };
    lab.failing.add('power on').add('power off');
    const node = await provision(lab, uuid, 'deploy');
    expect(lab.attached.has(uuid)).toBe(true);
    expect(node.lastError).toContain('power off failed.');
    lab.failing.clear();
    expect((await provision(lab, uuid, 'undeploy')).provisionState).toBe('available');
    expect(lab.attached.has(uuid)).toBe(false);
  });

  it('can be repeated after a failure', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.failing.add('power on');
    await provision(lab, uuid, 'deploy');
    lab.failing.clear();
    expect(await provision(lab, uuid, 'deploy')).toMatchObject({ provisionState: 'active', lastError: null });
  });

  it('keeps a failure in the history', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.failing.add('attach');
    const { lastError } = await provision(lab, uuid, 'deploy');
    expect(await lab.engine.nodes.history(uuid)).toMatchObject([
      { event: lastError, severity: 'ERROR', eventType: 'deploy' },
    ]);
  });
});

describe('a deployment is refused', () => {
  it('in maintenance', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.setMaintenance(uuid, true, 'broken fan');
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toMatchObject({
      code: 'NODE_IN_MAINTENANCE',
      status: 400,
    });
  });

  it('when the boot interface cannot boot from the volume, by the name of what is missing', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { boot: 'diskless' } }));
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('boot interface diskless'),
      hint: expect.stringContaining('iscsi_volume_boot'),
    });
    expect((await lab.engine.nodes.get(uuid)).provisionState).toBe('available');
  });

  it('when the node has volumes and its storage interface attaches none', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'noop' } }));
    expect((await lab.engine.nodes.validate(uuid)).deploy).toMatchObject({
      result: false,
      reason: expect.stringContaining('noop attaches no volumes'),
    });
  });

  it('by the deploy interface volume when an image is asked for', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({
      interfaces: { deploy: 'volume' },
      instanceInfo: { image_source: 'http://image' },
    }));
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toMatchObject({
      message: expect.stringContaining('image_source'),
    });
  });

  it('when all workers are busy, and the node is free again', async () => {
    const lab = await createLab({ workers: 0 });
    const uuid = await volumeNode(lab);
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toMatchObject({
      code: 'NO_FREE_WORKER',
      status: 503,
    });
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ provisionState: 'available', reservation: null });
  });
});

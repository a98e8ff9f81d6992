import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('manage', () => {
  it('reads the power state, which proves the BMC', async () => {
    const lab = await createLab();
    const { uuid } = await lab.engine.nodes.create({ driver: 'test' });
    expect(await provision(lab, uuid, 'manage')).toMatchObject({
      provisionState: 'manageable',
      powerState: 'power off',
      lastError: null,
    });
  });

  it('returns to enroll with the reason when the BMC does not answer', async () => {
    const lab = await createLab();
    const { uuid } = await lab.engine.nodes.create({ driver: 'test' });
    lab.failing.add('get power state');
    expect(await provision(lab, uuid, 'manage')).toMatchObject({
      provisionState: 'enroll',
      lastError: expect.stringContaining('The BMC does not answer.'),
    });
  });

  it('moves an available node at once', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.provisioning.request(uuid, { verb: 'manage' });
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ provisionState: 'manageable', reservation: null });
  });
});

describe('other verbs', () => {
  it.each([
    ['provide', 'manageable', 'available'],
    ['clean', 'manageable', 'manageable'],
    ['adopt', 'manageable', 'active'],
    ['rebuild', 'active', 'active'],
    ['rebuild', 'error', 'active'],
    ['abort', 'wait call-back', 'deploy failed'],
  ] as const)('%s leads a node from %s to %s', async (verb, from, to) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: from });
    expect(await provision(lab, uuid, verb)).toMatchObject({ provisionState: to, targetProvisionState: null });
  });

  it('adopt attaches and renders but touches neither power nor boot device', async () => {
    const lab = await createLab();
    await provision(lab, await volumeNode(lab, { provisionState: 'manageable' }), 'adopt');
    expect(lab.calls).toEqual(['attach', 'write boot files']);
  });

  it('a failed adoption takes no volume from the running machine', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'manageable' });
    lab.failing.add('write boot files');
    expect((await provision(lab, uuid, 'adopt')).provisionState).toBe('adopt failed');
    expect(lab.attached.has(uuid)).toBe(true);
  });

  it('a node whose adoption failed half-way is not deleted before its volumes are released', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'manageable' });
    lab.powerStates.set(uuid, 'power on');
    lab.onCall = async (call, { journal }) => {
      if (call === 'attach') await journal.put('volume-0', 'reserved');
    };
    lab.failing.add('attach');
    await provision(lab, uuid, 'adopt');
    await expect(lab.engine.nodes.delete(uuid)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    lab.powerStates.set(uuid, 'power off');
    await lab.engine.nodes.delete(uuid);
    expect(lab.calls).toEqual(['detach', 'remove boot files']);
  });

  it.each(['inspect', 'rescue', 'service'] as const)('%s is refused: no interface does it', async (verb) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: verb === 'inspect' ? 'manageable' : 'active' });
    await expect(lab.engine.provisioning.request(uuid, { verb })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      status: 400,
    });
  });

  it('a verb that the state does not allow is refused with both names', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await expect(lab.engine.provisioning.request(uuid, { verb: 'undeploy' })).rejects.toMatchObject({
      status: 400,
      message: `The requested action "undeploy" can not be performed on node "${uuid}" while it is in state "available".`,
    });
  });

  it('clean refuses steps that no interface offers', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'manageable' });
    const request = { verb: 'clean', cleanSteps: [{ interface: 'deploy', step: 'erase_devices' }] } as const;
    await expect(lab.engine.provisioning.request(uuid, request)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

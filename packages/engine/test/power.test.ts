import type { PowerTarget } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

async function power(lab: Lab, uuid: string, target: PowerTarget) {
  await lab.engine.power.request(uuid, target, null);
  await lab.engine.idle();
  return lab.engine.nodes.get(uuid);
}

async function activeNode(lab: Lab, powerState: 'power on' | 'power off'): Promise<string> {
  const uuid = await volumeNode(lab);
  await provision(lab, uuid, 'deploy');
  if (powerState === 'power off') await power(lab, uuid, 'power off');
  lab.calls.length = 0;
  lab.notifications.length = 0;
  return uuid;
}

describe('a power action on an active node', () => {
  it.each([
    ['power off', 'power on', ['attach', 'write boot files', 'power on']],
    ['power on', 'power off', ['power off', 'detach']],
    ['power on', 'rebooting', ['attach', 'write boot files', 'rebooting']],
    ['power on', 'soft power off', ['soft power off', 'detach']],
    ['power on', 'soft rebooting', ['attach', 'write boot files', 'soft rebooting']],
    ['power on', 'power on', []],
    ['power off', 'power off', []],
    ['power off', 'soft power off', []],
  ] as const)('that is %s, asked for "%s", makes these calls: %j', async (state, target, calls) => {
    const lab = await createLab();
    const uuid = await activeNode(lab, state);
    const node = await power(lab, uuid, target);
    expect(lab.calls).toEqual(calls);
    expect(node).toMatchObject({ targetPowerState: null, lastError: null, provisionState: 'active' });
    expect(lab.notifications.filter((event) => event.includes('power_set'))).toEqual([
      'baremetal.node.power_set.start',
      'baremetal.node.power_set.end',
    ]);
  });

  it('boots from the connection as it is then', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    const [target] = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } });
    await lab.engine.volumeTargets.update(target?.uuid ?? '', ({ properties }) => ({
      properties: { ...properties, target_portal: '192.0.2.99' },
    }));
    await power(lab, uuid, 'power on');
    expect(lab.bootFiles.get(uuid)).toContain('192.0.2.99');
  });

  it('does not power on a machine whose volume could not be attached', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    lab.failing.add('attach');
    const node = await power(lab, uuid, 'power on');
    expect(lab.calls).toEqual([]);
    expect(node).toMatchObject({ provisionState: 'active', powerState: 'power off', targetPowerState: null });
    expect(node.lastError).toBe(
      'Failed to change power state to "power on": Step storage.attach failed: attach failed.',
    );
    expect(lab.notifications).toContain('baremetal.node.power_set.error');
  });

  it('succeeds to power off also when a volume could not be detached', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('detach');
    expect(await power(lab, uuid, 'power off')).toMatchObject({ powerState: 'power off', lastError: null });
    expect(lab.notifications).toContain('baremetal.node.storage_detach.error');
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
  });

  it('reports the state that the BMC could not tell', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('get power state');
    expect((await power(lab, uuid, 'power off')).lastError).toContain('The BMC does not answer.');
  });
});

describe('a power action on a node that is not active', () => {
  it.each([
    ['deploy failed', 'power on', ['power on']],
    ['available', 'rebooting', ['rebooting']],
    ['manageable', 'soft rebooting', ['soft rebooting']],
    ['error', 'power on', ['power on']],
  ] as const)('leaves the volumes of a node in state %s alone (%s)', async (provisionState, target, calls) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState });
    await power(lab, uuid, target);
    expect(lab.calls).toEqual(calls);
  });

  it('keeps the error that explains a failed state', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'deploy failed', lastError: 'the reason' });
    expect((await power(lab, uuid, 'power on')).lastError).toBe('the reason');
  });

  it('is refused during cleaning', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'clean wait' });
    await expect(lab.engine.power.request(uuid, 'power on', null)).rejects.toMatchObject({
      code: 'INVALID_STATE_REQUESTED',
      status: 400,
    });
  });
});

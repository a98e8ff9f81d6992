import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PowerTarget } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { activeNode, createLab, volumeNode, type Lab } from './fixture.ts';

async function power(lab: Lab, uuid: string, target: PowerTarget) {
  await lab.engine.power.request(uuid, target, null);
  await lab.engine.idle();
  return lab.engine.nodes.get(uuid);
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
    const told = 'Failed to detach the volumes of the machine, which was powered off: detach failed.';
    expect(await power(lab, uuid, 'power off')).toMatchObject({
      powerState: 'power off',
      targetPowerState: null,
      lastError: told,
    });
    expect(await lab.engine.nodes.history(uuid)).toMatchObject([{ event: told }]);
    expect(lab.notifications).toEqual(
      expect.arrayContaining(['baremetal.node.storage_detach.error', 'baremetal.node.power_set.end']),
    );
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
    expect(await power(lab, uuid, 'power on')).toMatchObject({ powerState: 'power on', lastError: null });
  });

  it('does not look again whether a machine is off that has no volumes', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'active', powerState: 'power on' });
    const [target] = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } });
    await lab.store.volumeTargets.delete(target?.uuid ?? '');
    lab.powerStates.set(uuid, 'power on');
    lab.engine.hooks.afterPowerChange.tap('somebody else', () => void lab.powerStates.set(uuid, 'power on'));
    expect(await power(lab, uuid, 'power off')).toMatchObject({ powerState: 'power off', lastError: null });
  });

  it('reports the state that the BMC could not tell', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('get power state');
    expect((await power(lab, uuid, 'power off')).lastError).toContain('The BMC does not answer.');
  });
});

describe('a machine whose power has changed by itself', () => {
  it.each(['power off', 'soft power off'] as const)(
    'gives its volumes back when "%s" is asked for, although it is off already',
    async (target) => {
      const lab = await createLab();
      const uuid = await activeNode(lab, 'power on');
      lab.powerStates.set(uuid, 'power off');
      expect(await power(lab, uuid, target)).toMatchObject({ powerState: 'power off', lastError: null });
      expect(lab.calls).toEqual(['detach']);
      expect(await lab.store.attachments.list(uuid)).toEqual([]);
    },
  );

  it('gives back what only the storage driver has written down', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    await lab.store.journal.put(uuid, 'storage', 'attachment', 'id-1');
    await power(lab, uuid, 'power off');
    expect(lab.calls).toEqual(['detach']);
  });

  it('gets its volumes and a new script when "power on" is asked for, although it runs already', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off');
    lab.powerStates.set(uuid, 'power on');
    expect(await power(lab, uuid, 'power on')).toMatchObject({ powerState: 'power on', lastError: null });
    expect(lab.calls).toEqual(['attach', 'write boot files']);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
  });

  it('gets back what a detachment may have released that has failed, when "power on" is asked for', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.failing.add('detach');
    await power(lab, uuid, 'power off');
    lab.powerStates.set(uuid, 'power on');
    await power(lab, uuid, 'power on');
    expect(lab.calls).toEqual(['power off', 'attach', 'write boot files']);
    await power(lab, uuid, 'power on');
    expect(lab.calls).toHaveLength(3);
  });

  it('keeps its volumes when it was powered on again while it was powered off', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power on');
    lab.engine.hooks.afterPowerChange.tap('somebody else', () => void lab.powerStates.set(uuid, 'power on'));
    expect(await power(lab, uuid, 'power off')).toMatchObject({
      powerState: 'power on',
      lastError: expect.stringContaining('is not off'),
    });
    expect(lab.calls).toEqual(['power off']);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
    const [operation] = await lab.engine.operations.list(uuid, 1);
    expect(operation?.steps.at(-1)).toMatchObject({
      name: 'storage.detach',
      state: 'failed',
      error: expect.stringContaining('is not off: its BMC reports "power on"'),
    });
  });
});

describe('a power action on an active node whose storage does not follow the power', () => {
  it.each([
    ['power on', 'power off', ['power off']],
    ['power on', 'soft power off', ['soft power off']],
    ['power off', 'power on', ['write boot files', 'power on']],
    ['power on', 'rebooting', ['write boot files', 'rebooting']],
    ['power on', 'power on', []],
    ['power off', 'power off', []],
  ] as const)('that is %s, asked for "%s", keeps its volumes: %j', async (state, target, calls) => {
    const lab = await createLab();
    const uuid = await activeNode(lab, state, { storage: 'sticky' });
    expect(await power(lab, uuid, target)).toMatchObject({ lastError: null });
    expect(lab.calls).toEqual(calls);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
  });

  it.each([
    ['power off', 'power on', ['attach', 'write boot files', 'power on']],
    ['power on', 'power on', ['attach', 'write boot files']],
    ['power on', 'soft rebooting', ['attach', 'write boot files', 'soft rebooting']],
  ] as const)('that is %s, asked for "%s", attaches what the records lack: %j', async (state, target, calls) => {
    const lab = await createLab();
    const uuid = await activeNode(lab, state, { storage: 'sticky' });
    await lab.store.attachments.replace(uuid, []);
    await power(lab, uuid, target);
    expect(lab.calls).toEqual(calls);
    expect(await lab.store.attachments.list(uuid)).toHaveLength(1);
  });

  it('gives its volumes back when it is undeployed', async () => {
    const lab = await createLab();
    const uuid = await activeNode(lab, 'power off', { storage: 'sticky' });
    await lab.engine.provisioning.request(uuid, { verb: 'undeploy' });
    await lab.engine.idle();
    expect(lab.calls).toContain('detach');
    expect(await lab.store.attachments.list(uuid)).toEqual([]);
  });
});

describe('power requests that come at once', () => {
  it('are carried out one after the other, each as a whole; the others are told that the node is locked', async () => {
    const lab = await createLab({ lockWaitMs: 600 });
    const uuid = await activeNode(lab, 'power on');
    const seen: string[] = [];
    lab.onCall = async (call) => {
      seen.push(`${call} begins`);
      await nextTurn();
      seen.push(`${call} ends`);
    };
    const targets = ['power off', 'power on', 'rebooting', 'soft power off', 'power on'] as const;
    const requests = Array.from({ length: 30 }, (_, index) =>
      lab.engine.power.request(uuid, targets[index % targets.length] ?? 'power on', null),
    );
    const results = await Promise.allSettled(requests);
    await lab.engine.idle();
    const refused = results.filter((result) => result.status === 'rejected');
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'NODE_LOCKED', status: 409 });
    const operations = (await lab.engine.operations.list(uuid, 100)).slice(0, results.length - refused.length);
    expect(operations.length).toBeGreaterThan(1);
    expect(operations.every(({ state }) => state === 'succeeded')).toBe(true);
    expect(seen).toEqual(lab.calls.flatMap((call) => [`${call} begins`, `${call} ends`]));
    const whole = '(?:soft )?power off, detach|attach, write boot files, (?:power on|rebooting)';
    expect(lab.calls.join(', ')).toMatch(new RegExp(`^(?:${whole})(?:, (?:${whole}))*$`));
    const isOn = lab.powerStates.get(uuid) === 'power on';
    expect((await lab.store.attachments.list(uuid)).length).toBe(isOn ? 1 : 0);
    expect(lab.attached.has(uuid)).toBe(isOn);
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

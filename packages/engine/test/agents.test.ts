import { describe, expect, it } from 'vitest';
import { createLab, volumeNode } from './fixture.ts';

const heartbeat = { callbackUrl: 'https://192.0.2.5:9999', agentVersion: '9.0' };

describe('an agent', () => {
  it('finds its node by MAC address and gets a token once', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'wait call-back' });
    const first = await lab.engine.agents.lookup({ addresses: ['52:54:00:00:00:99', '52:54:00:00:00:01'] });
    expect(first.node.uuid).toBe(uuid);
    const second = await lab.engine.agents.lookup({ nodeUuid: uuid });
    expect([first.agentTokenIsNew, second.agentTokenIsNew]).toEqual([true, false]);
    expect(second.agentToken.reveal()).toBe(first.agentToken.reveal());
  });

  it.each(['available', 'active', 'enroll'] as const)('finds nothing when its node is %s', async (provisionState) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState });
    await expect(lab.engine.agents.lookup({ nodeUuid: uuid })).rejects.toMatchObject({ status: 404 });
  });

  it('has to say what it looks for', async () => {
    const lab = await createLab();
    await expect(lab.engine.agents.lookup({})).rejects.toMatchObject({ status: 400 });
  });

  it('is recorded by a heartbeat with its token, and not without', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'wait call-back' });
    const { agentToken } = await lab.engine.agents.lookup({ nodeUuid: uuid });
    await expect(lab.engine.agents.heartbeat(uuid, heartbeat)).rejects.toMatchObject({ status: 400 });
    await expect(lab.engine.agents.heartbeat(uuid, { ...heartbeat, agentToken: 'wrong' })).rejects.toMatchObject({
      status: 400,
    });
    await lab.engine.agents.heartbeat(uuid, { ...heartbeat, agentToken: agentToken.reveal() });
    expect((await lab.engine.nodes.get(uuid)).driverInternalInfo).toMatchObject({
      agent_url: 'https://192.0.2.5:9999',
      agent_version: '9.0',
    });
  });

  it('does not move to another address', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'wait call-back' });
    const { agentToken } = await lab.engine.agents.lookup({ nodeUuid: uuid });
    const mine = { ...heartbeat, agentToken: agentToken.reveal() };
    await lab.engine.agents.heartbeat(uuid, mine);
    await expect(
      lab.engine.agents.heartbeat(uuid, { ...mine, callbackUrl: 'https://192.0.2.6:9999' }),
    ).rejects.toMatchObject({ status: 400 });
  });

  it('is forgotten when the machine is powered off', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'wait call-back' });
    lab.powerStates.set(uuid, 'power on');
    await lab.engine.agents.lookup({ nodeUuid: uuid });
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    expect((await lab.engine.nodes.get(uuid)).driverInternalInfo).toEqual({});
  });
});

describe('vendor passthru', () => {
  it('runs a synchronous method and gives its result', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    expect(await lab.engine.vendor.call(uuid, 'echo', 'POST', { a: 1 })).toEqual({ async: false, result: { a: 1 } });
    expect(await lab.engine.vendor.methods(uuid)).toMatchObject({ echo: { httpMethods: ['POST'], async: false } });
  });

  it('holds the lock of the node until an asynchronous method has ended', async () => {
    const lab = await createLab({ lockWaitMs: 5000 });
    const uuid = await volumeNode(lab);
    const { promise, resolve } = Promise.withResolvers<void>();
    lab.onCall = () => promise;
    expect(await lab.engine.vendor.call(uuid, 'slow', 'POST', {})).toEqual({ async: true, result: null });
    expect((await lab.engine.nodes.get(uuid)).reservation).toBe('conductor-1');
    resolve();
    await lab.engine.nodes.update(uuid, () => ({ description: 'free' }));
    expect(lab.calls).toEqual(['slow']);
  });

  it.each([
    ['nothing', 'POST'],
    ['constructor', 'POST'],
    ['echo', 'GET'],
  ])('refuses %s by %s', async (method, httpMethod) => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await expect(lab.engine.vendor.call(uuid, method, httpMethod, {})).rejects.toMatchObject({ status: 400 });
  });
});

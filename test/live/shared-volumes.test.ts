import { explain, type Task } from '@ironbark/core';
import { createNodeRecords, createTask, createVolumeConnector, MemoryJournal } from '@ironbark/driver-testkit/fakes';
import { OpenStackAccess } from '@ironbark/lab/openstack';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { CinderDrivers } from './cinder-driver.ts';
import { interceptService } from './intercepted-service.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const drivers = new CinderDrivers(openstack);
const volumeIds: string[] = [];

afterEach(async () => {
  await drivers.cleanUp(volumeIds);
  for (const id of volumeIds.splice(0)) await openstack.deleteVolume(id);
});

afterAll(async () => {
  await drivers.close();
});

async function createVolume(
  options: Omit<Parameters<OpenStackAccess['createVolume']>[0], 'name'> = {},
): Promise<string> {
  const { id } = await openstack.createVolume({ name: 'shared', ...options });
  volumeIds.push(id);
  return id;
}

/** A node that is to have the volume; every task on it shares its journal. */
function taskOn(number: number, volumeId: string, overrides: Partial<Task> = {}): Task {
  const { volumeTargets, ...records } = createNodeRecords({ number });
  const targets = volumeTargets.map((target) => Object.assign({ ...target }, { volumeId }));
  return createTask({ ...records, volumeTargets: targets, journal: new MemoryJournal(), ...overrides });
}

const instancesOf = async (volumeId: string) => {
  const attachments = (await openstack.attachments()).filter((attachment) => attachment.volume_id === volumeId);
  return attachments.map(({ instance }) => instance);
};
const isExported = async (volumeId: string) => (await openstack.exports()).some((one) => one.volumeId === volumeId);

describe.each(['attachments', 'volume-actions'])('by %s', (attachmentApi) => {
  const driver = drivers.create(attachmentApi);

  it('one of two nodes gets a volume that both ask for at once, and the other leaves nothing behind', async () => {
    const volumeId = await createVolume();
    const tasks = [taskOn(0, volumeId), taskOn(1, volumeId)];
    const results = await Promise.allSettled(tasks.map((task) => driver.attach(task)));
    const winners = tasks.filter((_, index) => results[index]?.status === 'fulfilled');
    const losers = results.flatMap((result) => (result.status === 'rejected' ? [explain(result.reason)] : []));
    expect([winners.length, losers]).toEqual([1, [expect.stringContaining(volumeId)]]);
    expect(await instancesOf(volumeId)).toEqual([winners[0]?.node.uuid]);
    for (const task of tasks) await driver.detach(task);
    expect(await openstack.leaks([volumeId])).toEqual([]);
  });

  it('the holder of a volume is named to a node that comes too late', async () => {
    const volumeId = await createVolume();
    const [first, second] = [taskOn(0, volumeId), taskOn(1, volumeId)];
    await driver.attach(first);
    await expect(driver.attach(second)).rejects.toThrow(`is attached to instance ${first.node.uuid}`);
    await expect(driver.validate(second)).rejects.toThrow(`is attached to instance ${first.node.uuid}`);
    await driver.detach(second);
    expect(await instancesOf(volumeId)).toEqual([first.node.uuid]);
  });

  it('two nodes share a multiattach volume, and the first one that goes does not cut the other', async () => {
    const volumeId = await createVolume({ multiattach: true });
    const [first, second] = [taskOn(0, volumeId), taskOn(1, volumeId)];
    await driver.attach(first);
    await driver.attach(second);
    expect(new Set(await instancesOf(volumeId))).toEqual(new Set([first.node.uuid, second.node.uuid]));
    await driver.detach(first);
    expect([await instancesOf(volumeId), await isExported(volumeId)]).toEqual([[second.node.uuid], true]);
    await driver.detach(second);
    expect(await openstack.leaks([volumeId])).toEqual([]);
  });

  it('a Fibre Channel volume is reached from every port of the node', async () => {
    const volumeId = await createVolume({ type: 'fibre_channel' });
    const wwpns = ['10000090fa000001', '10000090fa000002'];
    const wwns = [...wwpns.map((id) => ['wwpn', id]), ['wwnn', '20000090fa000001'], ['wwnn', '20000090fa000002']];
    const plain = taskOn(0, volumeId);
    const task: Task = {
      ...plain,
      volumeConnectors: wwns.map(([type = '', connectorId = '']) => createVolumeConnector({ type, connectorId })),
      volumeTargets: plain.volumeTargets.map((target) => Object.assign({ ...target }, { volumeType: 'fibre_channel' })),
    };
    const [volume] = await driver.attach(task);
    const connection = volume?.connection;
    const paths = connection?.kind === 'fibre_channel' ? connection.paths : [];
    expect(new Set(paths.map(({ initiatorWwpn }) => initiatorWwpn))).toEqual(new Set(wwpns));
    expect(await isExported(volumeId)).toBe(true);
    await driver.detach(task);
    expect(await openstack.leaks([volumeId])).toEqual([]);
  });
});

it('a node whose reservation Cinder refuses leaves that of the other one', async () => {
  const volumeId = await createVolume();
  const { signal } = new AbortController();
  const service = interceptService(drivers.service, {
    onCreate: (moment) => (moment === 'before' ? drivers.service.reserve(volumeId, signal) : Promise.resolve()),
    refusesToAttach: new Set(),
    refusesToRelease: new Set(),
    ignoresRelease: new Set(),
    instead: undefined,
  });
  const driver = drivers.create('volume-actions', service);
  await expect(driver.attach(taskOn(0, volumeId))).rejects.toThrow('but the status is attaching');
  expect((await drivers.service.getVolume(volumeId, signal)).status).toBe('attaching');
});

it('an instance that has moved to another node does not take the volume of the machine that it ran on', async () => {
  const volumeId = await createVolume();
  const driver = drivers.create('auto');
  const on = (number: number): Task => {
    const task = taskOn(number, volumeId);
    return { ...task, node: { ...task.node, instanceUuid: 'dddddddd-0000-4000-8000-000000000002' } };
  };
  const [first, second] = [on(0), on(1)];
  await driver.attach(first);
  await expect(driver.attach(second)).rejects.toThrow(`on host "${first.node.uuid}"`);
  await driver.detach(second);
  expect([await instancesOf(volumeId), await isExported(volumeId)]).toEqual([[first.node.instanceUuid], true]);
});

it('a volume that the user of the conductor may not see any more is not taken for gone', async () => {
  const volumeId = await createVolume({ owner: 'conductor' });
  const task = taskOn(0, volumeId);
  const driver = drivers.create('auto');
  await driver.attach(task);
  const { username, password, project } = openstack.users.demo;
  const demoted = drivers.create('auto', drivers.connect({ username, password, project_name: project }));
  await expect(demoted.detach(task)).rejects.toThrow(/shows no volume .*, but an attachment of it/);
  await driver.detach(task);
  expect(await openstack.leaks([volumeId])).toEqual([]);
});

it('a project attaches its own volumes only', async () => {
  const volumeId = await createVolume();
  const { projectId } = await drivers.service.getVolume(volumeId, new AbortController().signal);
  const namedBy = (project: string | null): Task => {
    const task = taskOn(0, volumeId);
    return {
      ...task,
      volumeTargets: task.volumeTargets.map((target) => Object.assign({ ...target }, { projectId: project })),
    };
  };
  const driver = drivers.create('auto');
  await expect(driver.validate(namedBy('another'))).rejects.toThrow('is not in project another, which named it');
  await expect(driver.validate(namedBy(projectId))).resolves.toEqual(await driver.validate(namedBy(null)));
});

it('a node that Cinder shares with the Compute service keeps the attachment that was made for it', async () => {
  const volumeId = await createVolume();
  const { signal } = new AbortController();
  const instanceUuid = 'dddddddd-0000-4000-8000-000000000001';
  const { id } = await drivers.service.createAttachment(volumeId, instanceUuid, signal);
  const connector = { host: '192.0.2.7', ip: '192.0.2.7', initiator: 'iqn.2017-08.org.example:node-0' };
  await drivers.service.updateAttachment(id, connector, signal);
  await drivers.service.completeAttachment(id, signal);
  const task = taskOn(0, volumeId);
  const withInstance = { ...task, node: { ...task.node, instanceUuid } };
  const driver = drivers.create('auto');
  const [volume] = await driver.attach(withInstance);
  expect(volume?.connection).toMatchObject({
    kind: 'iscsi',
    paths: [{ iqn: expect.stringContaining(volumeId) as string }],
  });
  expect((await openstack.attachments()).filter((one) => one.volume_id === volumeId).map((one) => one.id)).toEqual([
    id,
  ]);
  await driver.detach(withInstance);
  expect(await openstack.leaks([volumeId])).toEqual([]);
});

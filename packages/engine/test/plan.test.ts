import type { Task } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('the plan of a deployment', () => {
  it('names steps, storage calls, source and files, and touches nothing', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const before = await lab.engine.nodes.get(uuid);
    const plan = await lab.engine.plan(uuid);
    expect(plan).toMatchObject({ problems: [], bootSource: 'iscsi', artifacts: { bootDevice: 'pxe' } });
    expect(plan.steps.map(({ name }) => name)).toEqual([
      'power.off',
      'management.sync_firmware',
      'storage.attach',
      'deploy.deploy',
      'boot.prepare',
      'management.set_boot_device',
      'network.configure',
      'power.on',
    ]);
    expect(plan.storage).toHaveLength(1);
    expect(lab.calls).toEqual([]);
    expect(await lab.engine.nodes.get(uuid)).toEqual(before);
    expect(await lab.store.operations.listOfNode(uuid, 10)).toEqual([]);
  });

  it('renders what the deployment then writes, apart from the token', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const planned = (await lab.engine.plan(uuid)).artifacts?.files[0]?.content.toString() ?? '';
    await provision(lab, uuid, 'deploy');
    const [beforeToken, afterToken] = planned.split('******');
    expect(lab.bootFiles.get(uuid)?.startsWith(beforeToken ?? '-')).toBe(true);
    expect(lab.bootFiles.get(uuid)?.endsWith(afterToken ?? '-')).toBe(true);
  });

  it('says what stands in the way', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'enroll', properties: {} });
    await lab.engine.nodes.setMaintenance(uuid, true, null);
    const { problems } = await lab.engine.plan(uuid);
    expect(problems).toEqual([
      expect.stringContaining('is in maintenance'),
      expect.stringContaining('state "enroll"'),
      expect.stringContaining('iscsi_boot is not set'),
    ]);
  });

  it('leaves open what the machine boots from when only the storage service knows the connection', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books' } }));
    const plan = await lab.engine.plan(uuid);
    expect(plan).toMatchObject({ problems: [], bootSource: null, artifacts: null });
    expect(plan.storage).toEqual([{ target: 'service', action: 'attach volume-0' }]);
    expect(plan.warnings).toEqual(['The service may be slow.', expect.stringContaining('when volume volume-0')]);
    expect((await provision(lab, uuid, 'deploy')).provisionState).toBe('active');
  });

  it('lets the storage read its own notes, in the plan and in the validation', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books' } }));
    await lab.store.journal.put(uuid, 'storage', 'volume-0', 'reserved');
    const read: unknown[] = [];
    const note = async ({ journal }: Task) => void read.push(await journal.get('volume-0'));
    lab.books.validate = note;
    await lab.engine.nodes.validate(uuid);
    const plan = lab.books.plan.bind(lab.books);
    lab.books.plan = async (task) => {
      await note(task);
      return plan(task);
    };
    await lab.engine.plan(uuid);
    expect(read).toEqual(['reserved', 'reserved', 'reserved']);
  });
});

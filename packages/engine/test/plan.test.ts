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

  it('tells of a part of the image that is missing, also when the connection is not known', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    Object.assign(lab.books, { capabilities: ['image_volumes'] });
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books', boot: 'grub' } }));
    lab.image = { ...lab.image, root: null };
    expect((await lab.engine.plan(uuid)).problems).toEqual([expect.stringContaining('The root file system')]);
  });

  it('does not show the query of a signed URL', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    Object.assign(lab, { image: { ...lab.image, kernel: { kind: 'url', url: 'https://a.example/k?sig=sesame' } } });
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { boot: 'network', deploy: 'ramdisk' } }));
    for (const { uuid: target } of await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } }))
      await lab.engine.volumeTargets.delete(target);
    await lab.store.nodes.update(uuid, {
      instanceInfo: { kernel: 'https://a.example/k', ramdisk: 'https://a.example/r' },
    });
    const { artifacts } = await lab.engine.plan(uuid);
    expect(artifacts?.images).toEqual([
      { root: 'http', path: 'kernel', image: { kind: 'url', url: 'https://a.example/k?…' } },
    ]);
  });

  it('tells each warning of the validation once', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.books.validate = async () => ['The service may be slow.', 'A loader is missing.'];
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books' } }));
    const { warnings } = await lab.engine.plan(uuid);
    expect(warnings.slice(0, 2)).toEqual(['The service may be slow.', 'A loader is missing.']);
    expect(warnings).toHaveLength(3);
  });

  it('does not ask interfaces that a deployment does not ask', async () => {
    const lab = await createLab();
    lab.onCall = (call) => {
      if (call === 'validate vendor') throw new Error('vendor');
    };
    expect((await lab.engine.plan(await volumeNode(lab))).problems).toEqual([]);
  });

  it('tells that a protected node is not rebuilt', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { provisionState: 'active', protected: true });
    expect((await lab.engine.plan(uuid)).problems).toEqual([expect.stringContaining('is protected')]);
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

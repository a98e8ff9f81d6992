import type { Info, Node } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

interface Wishes {
  readonly capabilities?: string;
  readonly instanceInfo?: Info;
  readonly interfaces?: Partial<Node['interfaces']>;
}

/** A node that is available and has no volumes. */
async function plainNode(lab: Lab, { capabilities = '', instanceInfo = {}, interfaces = {} }: Wishes): Promise<string> {
  const { uuid, interfaces: chosen } = await lab.engine.nodes.create({ driver: 'test', properties: { capabilities } });
  await lab.engine.ports.create({ nodeUuid: uuid, address: '52:54:00:00:00:01' });
  await lab.store.nodes.update(uuid, {
    provisionState: 'available',
    powerState: 'power off',
    instanceInfo,
    interfaces: { ...chosen, storage: 'noop', boot: 'network', deploy: 'volume', ...interfaces },
  });
  return uuid;
}

async function optionOf(lab: Lab, uuid: string): Promise<unknown> {
  return (await lab.engine.nodes.get(uuid)).instanceInfo['boot_option'];
}

describe('a node without volumes', () => {
  it('boots from an NFS root', async () => {
    const lab = await createLab();
    const instanceInfo = { nfs_root: '192.0.2.30:/srv/root' };
    const uuid = await plainNode(lab, { capabilities: 'nfs_boot:True', instanceInfo });
    expect(await provision(lab, uuid, 'deploy')).toMatchObject({ provisionState: 'active', lastError: null });
    expect(lab.bootFiles.get(uuid)).toMatch(/^nfs/);
    expect(await optionOf(lab, uuid)).toBe('netboot');
  });

  it.each<['ramdisk' | 'iso', Info]>([
    ['ramdisk', { kernel: 'http://192.0.2.1/kernel', ramdisk: 'http://192.0.2.1/ramdisk' }],
    ['iso', { boot_iso: 'http://192.0.2.1/system.iso' }],
  ])('runs from its %s', async (kind, instanceInfo) => {
    const lab = await createLab();
    const uuid = await plainNode(lab, { instanceInfo, interfaces: { deploy: 'ramdisk' } });
    expect(await provision(lab, uuid, 'deploy')).toMatchObject({ provisionState: 'active', lastError: null });
    expect(lab.bootFiles.get(uuid)).toMatch(new RegExp(`^${kind}`));
    expect(await optionOf(lab, uuid)).toBe('ramdisk');
  });

  it('is refused before anything is done when it has nothing to boot', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, { interfaces: { deploy: 'ramdisk' } });
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toThrow('nothing to run');
    expect(lab.calls).toEqual([]);
  });
});

describe('the image of an instance', () => {
  const wishes: Wishes = { capabilities: 'nfs_boot:True', instanceInfo: { nfs_root: '192.0.2.30:/srv/root' } };

  it('is looked up at the deployment, and no more when the machine starts again', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, wishes);
    await provision(lab, uuid, 'deploy');
    lab.failing.add('describe image');
    await lab.engine.power.request(uuid, 'rebooting', null);
    await lab.engine.idle();
    expect(await lab.engine.nodes.get(uuid)).toMatchObject({ powerState: 'power on', lastError: null });
  });

  it('is looked up anew when the node is rebuilt', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, wishes);
    await provision(lab, uuid, 'deploy');
    lab.image = { ...lab.image, kernel: null };
    expect((await provision(lab, uuid, 'rebuild')).lastError).toContain('The kernel of node');
  });

  it('fails the deployment with what to set when a part of it is missing', async () => {
    const lab = await createLab();
    lab.image = { ...lab.image, ramdisk: null };
    const node = await provision(lab, await plainNode(lab, wishes), 'deploy');
    expect(node).toMatchObject({ provisionState: 'deploy failed', powerState: 'power off' });
    expect(node.lastError).toContain('instance_info.ramdisk');
  });

  it('needs a boot interface that can look it up, which the validation says and the request', async () => {
    const lab = await createLab();
    const uuid = await plainNode(lab, { ...wishes, interfaces: { boot: 'imageless' } });
    const { boot } = await lab.engine.nodes.validate(uuid);
    expect(boot).toEqual({ result: false, reason: expect.stringContaining('imageless serves none') });
    await expect(lab.engine.provisioning.request(uuid, { verb: 'deploy' })).rejects.toThrow('imageless serves none');
  });

  it('cannot describe a volume whose storage knows of no images', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { instanceInfo: { image_source: 'http://192.0.2.1/image' } });
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { boot: 'grub', deploy: 'volume' } }));
    const deployment = lab.engine.provisioning.request(uuid, { verb: 'deploy' });
    await expect(deployment).rejects.toThrow('because test volumes have no image that it could describe');
  });

  it('is shown by the plan, which changes nothing', async () => {
    const lab = await createLab();
    const plan = await lab.engine.plan(await plainNode(lab, wishes));
    expect(plan).toMatchObject({ problems: [], bootSource: 'nfs' });
    expect(lab.calls).toEqual([]);
  });
});

describe('an active node', () => {
  it('does not boot something else when its records have changed', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    const before = lab.bootFiles.get(uuid);
    await lab.store.nodes.update(uuid, { instanceInfo: { image_source: 'http://192.0.2.1/image' } });
    lab.calls.length = 0;
    await lab.engine.power.request(uuid, 'rebooting', null);
    await lab.engine.idle();
    expect(lab.calls).toEqual([]);
    const { lastError } = await lab.engine.nodes.get(uuid);
    expect(lastError).toContain('deployed to boot from an iSCSI volume, and its records now ask for its local disk');
    expect(lastError).toContain(`openstack baremetal node rebuild ${uuid}`);
    expect(lab.bootFiles.get(uuid)).toBe(before);
    expect((await provision(lab, uuid, 'rebuild')).provisionState).toBe('active');
    expect(lab.bootFiles.get(uuid)).toMatch(/^local_disk/);
  });

  it('of which it was not noted yet what it was deployed with starts, and it is noted', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.store.journal.delete(uuid, 'engine', 'boot_kind');
    await lab.engine.power.request(uuid, 'rebooting', null);
    await lab.engine.idle();
    expect((await lab.engine.nodes.get(uuid)).lastError).toBeNull();
    expect(await lab.store.journal.get(uuid, 'engine', 'boot_kind')).toBe('iscsi');
  });

  it('is not shown as booted from a volume when a rebuild brings it to its disk', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.store.nodes.update(uuid, { instanceInfo: { image_source: 'http://192.0.2.1/image' } });
    const node = await provision(lab, uuid, 'rebuild');
    expect(node).toMatchObject({ provisionState: 'active', instanceInfo: { boot_option: 'local' } });
    expect(node.driverInternalInfo).not.toHaveProperty('boot_from_volume');
  });
});

describe('a volume behind a host bus adapter', () => {
  it('is attached, and the machine boots from its disk', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { properties: { capabilities: 'hba_boot:True' } });
    const node = await provision(lab, uuid, 'deploy');
    expect(lab.calls).toEqual(['attach', 'deploy', 'write boot files', 'boot device disk persistently', 'power on']);
    expect(lab.bootFiles.get(uuid)).toMatch(/^hba/);
    expect(node.instanceInfo['boot_option']).toBe('local');
    const [target] = await lab.engine.volumeTargets.list({ filter: { nodeUuid: uuid } });
    expect(node.driverInternalInfo['boot_from_volume']).toBe(target?.uuid);
  });
});

describe('the boot option', () => {
  it('that the user has set is kept', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { instanceInfo: { boot_option: 'netboot' } });
    const node = await provision(lab, uuid, 'deploy');
    expect(node.instanceInfo['boot_option']).toBe('netboot');
    expect(node.driverInternalInfo).not.toHaveProperty('derived_boot_option');
  });

  it('that was derived does not bind a rebuild with other wishes', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.store.nodes.update(uuid, { properties: { capabilities: 'hba_boot:True' } });
    const node = await provision(lab, uuid, 'rebuild');
    expect(node).toMatchObject({ provisionState: 'active', instanceInfo: { boot_option: 'local' } });
  });

  it('that was derived before is no note on an order', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    await lab.store.nodes.update(uuid, {
      properties: { capabilities: 'hba_boot:True' },
      instanceInfo: { boot_option: 'local' },
    });
    const node = await provision(lab, uuid, 'rebuild');
    expect(node).toMatchObject({ provisionState: 'active', instanceInfo: { boot_option: 'local' } });
    expect(node.driverInternalInfo).not.toHaveProperty('derived_boot_option');
  });

  it('is derived for a node that is adopted', async () => {
    const lab = await createLab();
    const node = await provision(lab, await volumeNode(lab, { provisionState: 'manageable' }), 'adopt');
    expect(node.instanceInfo['boot_option']).toBe('netboot');
  });

  it('is derived without losing what an agent writes meanwhile', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    lab.books.validate = async () => {
      const { driverInternalInfo } = await lab.engine.nodes.get(uuid);
      await lab.store.nodes.update(uuid, { driverInternalInfo: { ...driverInternalInfo, hardware_note: 'x' } });
    };
    await lab.engine.nodes.update(uuid, () => ({ interfaces: { storage: 'books' } }));
    expect((await provision(lab, uuid, 'deploy')).driverInternalInfo).toMatchObject({
      hardware_note: 'x',
      derived_boot_option: 'netboot',
    });
  });

  it('goes with the instance', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    await provision(lab, uuid, 'deploy');
    const node = await provision(lab, uuid, 'undeploy');
    expect(node.instanceInfo).toEqual({});
    expect(node.driverInternalInfo).not.toHaveProperty('derived_boot_option');
  });
});

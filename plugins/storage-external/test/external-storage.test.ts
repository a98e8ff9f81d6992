import { join } from 'node:path';
import type { BootInterface, Info, Task } from '@ironbark/core';
import { checkPackage } from '@ironbark/driver-testkit';
import {
  createDriver,
  createIscsiProperties,
  createNode,
  createNodeRecords,
  createTask,
  createVolumeConnector,
  createVolumeTarget,
  fixedUuid,
  setUpPlugin,
} from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import plugin, { ExternalStorage } from '../src/index.ts';

const storage = new ExternalStorage();

function targets(...indexes: readonly number[]) {
  return indexes.map((bootIndex) => createVolumeTarget({ uuid: fixedUuid(4, bootIndex), bootIndex }));
}

/** A driver whose boot interface declares these capabilities. */
function driverWith(capabilities: readonly string[], name = 'pxe') {
  const driver = createDriver({ storage });
  const boot: BootInterface = { ...driver.boot, capabilities };
  return { ...driver, boot, names: { ...driver.names, boot: name } };
}

function taskOf(overrides: Partial<Task> = {}): Task {
  return createTask({ driver: driverWith(['iscsi_volume_boot', 'ipxe_boot'], 'ipxe'), ...overrides });
}

const nodeOf = (capabilities: string, instanceInfo: Info = {}) =>
  createNode({ properties: { capabilities }, instanceInfo });

describe('shouldWriteImage', () => {
  it.each<[Info, readonly number[], boolean]>([
    [{}, [], true],
    [{}, [1], true],
    [{}, [0], false],
    [{ image_source: 'http://a/image' }, [0], true],
    [{ image_source: null }, [0], true],
    [{ image_source: '' }, [0], true],
  ])('with %j and targets of boot index %j is %j', (instanceInfo, indexes, value) => {
    const task = taskOf({ node: createNode({ instanceInfo }), volumeTargets: targets(...indexes) });
    expect(storage.shouldWriteImage(task)).toBe(value);
  });
});

describe('validate', () => {
  it('accepts the node of the administrator guide', async () => {
    const properties = {
      target_iqn: 'iqn.2010-10.com.example:vol-X',
      target_lun: '0',
      target_portal: '192.168.0.123:3260',
      auth_method: 'CHAP',
      auth_username: 'ABC',
      auth_password: 'XYZ',
    };
    const task = taskOf({ volumeTargets: [createVolumeTarget({ properties })] });
    await expect(storage.validate(task)).resolves.toBeUndefined();
  });

  it('accepts a node without any volume records, whatever boots it', async () => {
    const task = taskOf({ node: createNode(), volumeConnectors: [], volumeTargets: [], driver: driverWith([]) });
    await expect(storage.validate(task)).resolves.toBeUndefined();
  });

  it.each([[[]], [['pxe_boot', 'ramdisk_boot']], [['iscsi_volume_boot', 'kernel_from_image']]])(
    'refuses a boot interface with %j by name',
    async (capabilities) => {
      const refused = storage.validate(taskOf({ driver: driverWith(capabilities, 'plain-pxe') }));
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
      await expect(refused).rejects.toThrow(/boot interface plain-pxe/);
    },
  );

  it('asks nothing of the boot interface when an image is written to the local disk', async () => {
    const task = taskOf({ node: nodeOf('', { image_source: 'http://a/image' }), driver: driverWith([]) });
    await expect(storage.validate(task)).resolves.toBeUndefined();
  });

  it.each([
    ['iscsi_boot:False', 'iscsi_boot'],
    ['', 'iscsi_boot'],
    ['iscsi_boot', 'not of the form name:value'],
  ])('refuses a boot volume when the capabilities are %j', async (capabilities, words) => {
    const refused = storage.validate(taskOf({ node: nodeOf(capabilities) }));
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    await expect(refused).rejects.toThrow(words);
  });

  it('refuses a boot volume without a connector of type iqn', async () => {
    const volumeConnectors = [createVolumeConnector({ type: 'mac', connectorId: '52:54:00:00:00:01' })];
    await expect(storage.validate(taskOf({ volumeConnectors }))).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      hint: expect.stringContaining('connector create') as unknown,
    });
  });

  it('refuses a connector whose name is no iSCSI name', async () => {
    const volumeConnectors = [createVolumeConnector({ connectorId: 'iqn.2017-08.org.example:a b' })];
    await expect(storage.validate(taskOf({ volumeConnectors }))).rejects.toThrow(volumeConnectors[0]?.uuid);
  });

  it('refuses a boot volume of another type than iscsi', async () => {
    const volumeTargets = [createVolumeTarget({ volumeType: 'nfs', properties: { export: 'server:/path' } })];
    await expect(storage.validate(taskOf({ volumeTargets }))).rejects.toThrow('nfs');
  });

  it('reads the properties of every target, also when an image is written', async () => {
    const [boot, extra] = targets(0, 1);
    const broken = { ...createVolumeTarget({ ...extra }), properties: createIscsiProperties({ target_lun: 'x' }) };
    const volumeTargets = [...(boot ? [boot] : []), broken];
    const task = taskOf({ node: nodeOf('iscsi_boot:1', { image_source: 'http://a/image' }), volumeTargets });
    await expect(storage.validate(task)).rejects.toThrow(`target_lun of volume target ${broken.uuid}`);
  });
});

describe('attach', () => {
  it('returns the connection that the properties say', async () => {
    const [attached] = await storage.attach(taskOf({ volumeTargets: [createVolumeTarget()] }));
    expect(attached?.connection).toEqual({
      kind: 'iscsi',
      paths: [{ portal: { host: '192.0.2.10', port: 3260 }, iqn: 'iqn.2010-10.org.example:volume-0', lun: 0 }],
      chap: { username: 'chapuser0', password: expect.anything() as unknown, mutual: null },
    });
  });
});

describe('plan', () => {
  it('names no calls, because there are none', async () => {
    const { calls, volumes, warnings } = await storage.plan(taskOf());
    expect({ calls, volumes: volumes.length, warnings }).toEqual({ calls: [], volumes: 1, warnings: [] });
  });

  it('tells of a second iSCSI name and of a further volume that the firmware cannot attach', async () => {
    const nfs = createVolumeTarget({
      uuid: fixedUuid(4, 9),
      bootIndex: 1,
      volumeType: 'nfs',
      properties: { export: 'server:/path' },
    });
    const task = taskOf({
      ...createNodeRecords(),
      volumeConnectors: ['a', 'b'].map((end) =>
        createVolumeConnector({ connectorId: `iqn.2017-08.org.example:${end}` }),
      ),
      volumeTargets: [createVolumeTarget(), nfs],
    });
    expect((await storage.plan(task)).warnings).toEqual([
      expect.stringContaining('iqn.2017-08.org.example:b is not used'),
      expect.stringContaining(nfs.uuid),
    ]);
  });
});

describe('the plugin', () => {
  it('registers storage:external', async () => {
    const { drivers } = await setUpPlugin(plugin);
    expect([...drivers]).toEqual([['storage:external', expect.any(ExternalStorage)]]);
  });

  it('is packaged as the loader expects', async () => {
    expect(await checkPackage(join(import.meta.dirname, '..'))).toEqual([]);
  });
});

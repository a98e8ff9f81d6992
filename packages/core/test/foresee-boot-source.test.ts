import { describe, expect, it } from 'vitest';
import {
  foreseeBootSource,
  type BootInterface,
  type CapabilityTag,
  type InstanceImage,
  type StorageInterface,
  type Task,
} from '../src/index.ts';
import { situationOf } from './boot-situations.ts';

const url = { kind: 'url', url: 'http://192.0.2.1/image' } as const;
const whole: InstanceImage = { kernel: url, ramdisk: url, bootIso: null, root: 'LABEL=root', initramfsType: null };

/** A node that boots a volume of Cinder with GRUB; the volume is not attached, so that its connection is not known. */
function grubTask(image: InstanceImage): Task {
  const asks = ['iSCSI volume', 'image_source'];
  const situation = situationOf(asks, 'iscsi_boot', { storage: 'cinder', boot: 'pxe', deploy: 'volume' });
  const { node, volumeTargets, volumeConnectors, storage, boot } = situation;
  const tags = (capabilities: readonly CapabilityTag[] = []) => ({ capabilities });
  return {
    node,
    volumeTargets,
    volumeConnectors,
    driver: {
      names: { storage: 'cinder', boot: 'pxe', deploy: 'volume' },
      deploy: {},
      boot: { ...tags(boot.capabilities), describeImage: async () => image } satisfies Partial<BootInterface>,
      storage: {
        ...tags(storage.capabilities),
        shouldWriteImage: () => false,
        plan: async () => ({ calls: [], volumes: [], warnings: [] }),
      } satisfies Partial<StorageInterface>,
    },
    forInterface(this: Task) {
      return this;
    },
  } as unknown as Task;
}

describe('the boot source of a volume that is not attached yet', () => {
  it('is not known', async () => {
    expect(await foreseeBootSource(grubTask(whole))).toBeNull();
  });

  it.each<[keyof InstanceImage, string]>([
    ['kernel', 'The kernel of node'],
    ['ramdisk', 'The ramdisk of node'],
    ['root', 'The root file system of the image'],
  ])('is refused already when the image has no %s', async (part, text) => {
    await expect(foreseeBootSource(grubTask({ ...whole, [part]: null }))).rejects.toThrow(text);
  });
});

import { invalidParameter, isIronbarkError, type ImageReference, type Info, type InfoValue } from '@ironbark/core';
import { anything, array, asyncProperty, check, constantFrom, oneof, string, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeInstanceImage, type Images } from '../src/index.ts';
import { taskOf } from './support/library.ts';

const [imageId, kernelId, ramdiskId] = ['a', 'b', 'c'].map(
  (letter) => `6d1c4f0e-3cf8-4b0f-9a41-00000000000${letter}`,
) as [string, string, string];
const glance = (id: string): ImageReference => ({ kind: 'glance', id });
const url = (href: string): ImageReference => ({ kind: 'url', url: href });

interface Records {
  readonly instanceInfo?: Info;
  /** Of the image in image_source. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** @returns what was found, and the references that were looked up. */
async function describeOf({ instanceInfo = {}, properties = {} }: Records) {
  const asked: ImageReference[] = [];
  const images = {
    describe: async (reference: ImageReference) => {
      asked.push(reference);
      return { sizeBytes: null, properties };
    },
  } as unknown as Images;
  return { image: await describeInstanceImage(images, taskOf({ instanceInfo })), asked };
}

const nothing = { kernel: null, ramdisk: null, bootIso: null, root: null, initramfsType: null };

describe('the image of an instance', () => {
  it('may be none', async () => {
    expect(await describeOf({})).toEqual({ image: nothing, asked: [] });
  });

  it('is what instance_info says', async () => {
    const { image, asked } = await describeOf({
      instanceInfo: {
        kernel: 'http://a/k',
        ramdisk: ramdiskId,
        boot_iso: 'file:///srv/boot.iso',
        image_rootfs_uuid: '0f5d0b29-6b39-4a0a-8a10-5f7c3d2d9f3b',
        initramfs_type: 'dracut',
      },
    });
    expect(image).toEqual({
      kernel: url('http://a/k'),
      ramdisk: glance(ramdiskId),
      bootIso: { kind: 'file', path: '/srv/boot.iso' },
      root: 'UUID=0f5d0b29-6b39-4a0a-8a10-5f7c3d2d9f3b',
      initramfsType: 'dracut',
    });
    expect(asked).toEqual([url('http://a/k'), glance(ramdiskId), { kind: 'file', path: '/srv/boot.iso' }]);
  });

  it('is what the properties of its Glance image say', async () => {
    const { image, asked } = await describeOf({
      instanceInfo: { image_source: imageId },
      properties: {
        kernel_id: kernelId,
        ramdisk_id: ramdiskId,
        rootfs_label: 'cloudimg-rootfs',
        initramfs_type: 'initramfs-tools',
      },
    });
    expect(image).toEqual({
      kernel: glance(kernelId),
      ramdisk: glance(ramdiskId),
      bootIso: null,
      root: 'LABEL=cloudimg-rootfs',
      initramfsType: 'initramfs-tools',
    });
    expect(asked).toEqual([glance(imageId), glance(kernelId), glance(ramdiskId)]);
  });

  it.each<[string, Info, Partial<typeof nothing> | object]>([
    [
      'a kernel with its ramdisk',
      { kernel: 'http://a/k', ramdisk: 'http://a/r' },
      { kernel: url('http://a/k'), ramdisk: url('http://a/r') },
    ],
    [
      'a kernel alone, since kernel and ramdisk belong together',
      { kernel: 'http://a/k' },
      { kernel: url('http://a/k'), ramdisk: null },
    ],
    ['a ramdisk alone', { ramdisk: 'http://a/r' }, { kernel: null, ramdisk: url('http://a/r') }],
    ['a UUID', { image_rootfs_uuid: 'ABCD-1234' }, { root: 'UUID=ABCD-1234' }],
    ['a label', { image_rootfs_label: 'root' }, { root: 'LABEL=root' }],
    ['an initramfs type', { initramfs_type: 'dracut' }, { initramfsType: 'dracut' }],
    [
      'nothing, by empty values',
      { kernel: '', ramdisk: null, boot_iso: '' },
      { kernel: glance(kernelId), ramdisk: glance(ramdiskId) },
    ],
  ])('follows instance_info before the image: %s', async (_title, instanceInfo, expected) => {
    const properties = {
      kernel_id: kernelId,
      ramdisk_id: ramdiskId,
      rootfs_uuid: '0f5d0b29-6b39-4a0a-8a10-5f7c3d2d9f3b',
      initramfs_type: 'initramfs-tools',
    };
    const { image } = await describeOf({ instanceInfo: { image_source: imageId, ...instanceInfo }, properties });
    expect(image).toMatchObject(expected);
  });

  it.each([
    ['the kernel', { ramdisk_id: ramdiskId }, { kernel: null, ramdisk: glance(ramdiskId) }],
    ['the ramdisk', { kernel_id: kernelId, ramdisk_id: '' }, { kernel: glance(kernelId), ramdisk: null }],
  ])('may lack %s', async (_title, properties, expected) => {
    const { image } = await describeOf({ instanceInfo: { image_source: imageId }, properties });
    expect(image).toMatchObject(expected);
  });

  it.each(['http://a/image.raw', 'file:///srv/image.raw'])('has no properties when it is %s', async (image_source) => {
    expect(await describeOf({ instanceInfo: { image_source }, properties: { kernel_id: kernelId } })).toEqual({
      image: nothing,
      asked: [],
    });
  });

  it.each([
    'C0FFEE00-0000-4000-8000-000000000001',
    '0f5d0b29-6b39-4a0a-8a10-5f7c3d2d9f3b',
    'ABCD-1234',
    '01D7A9E2C3B4F5A6',
    '2026-11-20-12-00-00-00',
  ])('may have the root UUID %s', async (image_rootfs_uuid) => {
    const { image } = await describeOf({ instanceInfo: { image_rootfs_uuid } });
    expect(image.root).toBe(`UUID=${image_rootfs_uuid}`);
  });

  it('takes the UUID where there is a label as well', async () => {
    const { image } = await describeOf({
      instanceInfo: { image_rootfs_uuid: 'ABCD-1234', image_rootfs_label: 'root' },
    });
    expect(image.root).toBe('UUID=ABCD-1234');
  });
});

describe('a value that is refused', () => {
  it('is that of an image that cannot be had', async () => {
    const images = {
      describe: async (reference: ImageReference) => {
        if (reference.kind === 'glance' && reference.id === ramdiskId)
          throw invalidParameter('There is no such image.', { hint: 'Correct it.' });
        return { sizeBytes: null, properties: { kernel_id: kernelId, ramdisk_id: ramdiskId } };
      },
    } as unknown as Images;
    const task = taskOf({ instanceInfo: { image_source: imageId } });
    await expect(describeInstanceImage(images, task)).rejects.toMatchObject({
      message: `The property ramdisk_id of image ${imageId} cannot be used. There is no such image.`,
      hint: 'Correct it.',
    });
  });

  it.each<[string, Records, string]>([
    ['a kernel', { instanceInfo: { kernel: 'ftp://a/k' } }, 'instance_info.kernel of node '],
    ['a number', { instanceInfo: { kernel: 7 } }, 'instance_info.kernel of node '],
    ['an image source', { instanceInfo: { image_source: 'what' } }, 'instance_info.image_source of node '],
    ['a UUID', { instanceInfo: { image_rootfs_uuid: 'x y' } }, 'instance_info.image_rootfs_uuid of node '],
    ['a label', { instanceInfo: { image_rootfs_label: 'a/b' } }, 'instance_info.image_rootfs_label of node '],
    ['an initramfs type', { instanceInfo: { initramfs_type: 'mkinitcpio' } }, 'instance_info.initramfs_type of node '],
    [
      'a property',
      { instanceInfo: { image_source: imageId }, properties: { kernel_id: '../k' } },
      `property kernel_id of image ${imageId}`,
    ],
    [
      'a property with a URL, which anybody who publishes an image could send the conductor to',
      { instanceInfo: { image_source: imageId }, properties: { kernel_id: 'http://169.254.169.254/' } },
      `property kernel_id of image ${imageId}`,
    ],
    [
      'a property with a file',
      { instanceInfo: { image_source: imageId }, properties: { ramdisk_id: 'file:///srv/k' } },
      `property ramdisk_id of image ${imageId}`,
    ],
    [
      'a root property',
      { instanceInfo: { image_source: imageId }, properties: { rootfs_uuid: 'ABCD 1234' } },
      `property rootfs_uuid of image ${imageId}`,
    ],
  ])('is named with its place: %s', async (_title, records, place) => {
    await expect(describeOf(records)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining(place),
    });
  });
});

describe('whatever the records hold', () => {
  const hostile = array(
    oneof(
      constantFrom(
        '\n',
        '\r',
        '\0',
        '\t',
        ' ',
        '\\',
        '"',
        "'",
        '`',
        '$(',
        '${',
        '}',
        ';',
        '&',
        '|',
        '=',
        ',',
        '/',
        '..',
      ),
      constantFrom('\u0085', '\u2028', 'ä', '-', '.', '_', 'root', 'init=/bin/sh', 'ABCD', 'http://a/', imageId),
      string({ unit: 'binary', maxLength: 6 }),
    ),
    { minLength: 1, maxLength: 5 },
  ).map((parts) => parts.join(''));
  const keys = ['kernel', 'ramdisk', 'boot_iso', 'image_rootfs_uuid', 'image_rootfs_label', 'initramfs_type'];
  const ofProperties = ['kernel_id', 'ramdisk_id', 'rootfs_uuid', 'rootfs_label', 'initramfs_type'];

  /** What would be used; nothing when the value was refused by name. */
  async function outcomeOf(records: Records) {
    try {
      return (await describeOf(records)).image;
    } catch (error) {
      if (isIronbarkError(error, 'INVALID_PARAMETER')) return nothing;
      throw error;
    }
  }

  function isHarmless({
    kernel,
    ramdisk,
    bootIso,
    root,
    initramfsType,
  }: Awaited<ReturnType<typeof outcomeOf>>): boolean {
    const urls = [kernel, ramdisk, bootIso].flatMap((each) => (each !== null && 'url' in each ? [each.url] : []));
    return (
      (root === null || /^(?:UUID=[0-9A-Fa-f-]+|LABEL=[A-Za-z0-9._-]+)$/.test(root)) &&
      (initramfsType === null || ['dracut', 'initramfs-tools'].includes(initramfsType)) &&
      urls.every((each) => /^https?:\/\/[\x21-\x7e]+$/.test(each))
    );
  }

  it('the parameters stay single words of a harmless form', async () => {
    const found = await check(
      asyncAll(hostile, (text) =>
        Promise.all([
          ...keys.map((key) => outcomeOf({ instanceInfo: { [key]: text } })),
          ...ofProperties.map((key) =>
            outcomeOf({ instanceInfo: { image_source: imageId }, properties: { [key]: text } }),
          ),
        ]),
      ),
      { numRuns: 500 },
    );
    expect(found.counterexample).toBeNull();
  });

  it('values of other types are refused, not read', async () => {
    const found = await check(
      asyncAll(anything({ withNullPrototype: true }), (value) =>
        Promise.all(keys.map((key) => outcomeOf({ instanceInfo: { [key]: value as InfoValue } }))),
      ),
      { numRuns: 200 },
    );
    expect(found.counterexample).toBeNull();
  });

  function asyncAll<T>(
    arbitrary: Arbitrary<T>,
    outcomes: (value: T) => Promise<readonly Awaited<ReturnType<typeof outcomeOf>>[]>,
  ) {
    return asyncProperty(arbitrary, async (value) => (await outcomes(value)).every(isHarmless));
  }
});

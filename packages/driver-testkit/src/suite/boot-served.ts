import assert from 'node:assert/strict';
import {
  explain,
  formatImageReference,
  type BootArtifacts,
  type BootSource,
  type CapabilityTag,
  type Info,
} from '@ironbark/core';
import {
  assertApplied,
  contentsOf,
  revealedArtifacts,
  sortedTree,
  type BootBench,
  type BootContext,
} from './boot-harness.ts';
import { contentOfImage, imagesOf, iso, kernel, lostImage, ramdisk, withImage } from './boot-images.ts';
import { iscsiSource, isoSource, nfsSource, ramdiskSource, requestOf } from './boot-sources.ts';
import { rejected, settled } from './outcome.ts';

/** Sources that need images of the instance, with the capability that lets an interface serve them. */
const servedSources: readonly { readonly tag: CapabilityTag; readonly make: (bench: BootBench) => BootSource }[] = [
  { tag: 'kernel_from_image', make: (bench) => iscsiSource(bench.records(), bench.driver.capabilities ?? []) },
  { tag: 'nfs_volume_boot', make: nfsSource },
  { tag: 'ramdisk_boot', make: ramdiskSource },
  { tag: 'iso_boot', make: isoSource },
];

const localDisk: BootSource = { kind: 'local_disk' };

/** Tests of the images that an interface serves to machines. */
export function describeServedImages({ runner: { describe, it }, use }: BootContext): void {
  const useDeclared = (tag: CapabilityTag, body: (bench: BootBench) => Promise<void>) =>
    use(async (bench) => {
      if (bench.driver.capabilities?.includes(tag)) await body(bench);
    });
  const render = (bench: BootBench, source: BootSource) => bench.driver.render(bench.task(), requestOf(source));
  const apply = async (bench: BootBench, source: BootSource) => {
    const artifacts = render(bench, source);
    await settled('apply', bench.driver.apply(bench.task(), artifacts));
    return artifacts;
  };

  describe('images', () => {
    for (const { tag, make } of servedSources) {
      it(`of ${tag}, when that is declared, are put where the artifacts say or are addresses in the files`, () =>
        useDeclared(tag, async (bench) => {
          const source = make(bench);
          const artifacts = await apply(bench, source);
          for (const image of imagesOf(source)) {
            const text = formatImageReference(image);
            const isPlaced = artifacts.images?.some((one) => formatImageReference(one.image) === text) ?? false;
            assert.ok(isPlaced || contentsOf(artifacts).includes(text), `nothing says where ${text} is`);
          }
          await assertApplied(bench, artifacts);
        }));

      it(`of ${tag}, when that is declared, are removed with what else the node has`, () =>
        useDeclared(tag, async (bench) => {
          const artifacts = await apply(bench, make(bench));
          await settled('cleanUp', bench.driver.cleanUp(bench.task()));
          await assertGone(bench, artifacts);
        }));

      it(`of ${tag}, when that is declared, are removed when the node boots from something else`, () =>
        useDeclared(tag, async (bench) => {
          const artifacts = await apply(bench, make(bench));
          await apply(bench, localDisk);
          await assertGone(bench, artifacts);
        }));

      it(`of ${tag}, when that is declared, leave every file whole when one cannot be had`, () =>
        useDeclared(tag, async (bench) => {
          const old = await apply(bench, make(bench));
          const artifacts = render(bench, withImage(make(bench), lostImage));
          // Where the machine fetches it by itself, nothing can be found out now.
          if (!artifacts.images?.some(({ image }) => formatImageReference(image) === formatImageReference(lostImage)))
            return;
          await rejected('apply', bench.driver.apply(bench.task(), artifacts), /./, bench.secrets);
          const oldImages = (old.images ?? []).map(({ root, path, image }) => {
            return { root, path, content: contentOfImage(image) };
          });
          const known = [...revealedArtifacts(old).files, ...revealedArtifacts(artifacts).files, ...oldImages];
          for (const file of (await bench.fixture.observe()).files) {
            const versions = known.filter(({ root, path }) => root === file.root && path === file.path);
            const isWhole = versions.length === 0 || versions.some(({ content }) => content === file.content);
            assert.ok(isWhole, `${file.root}/${file.path} is neither the old file nor the new one`);
          }
          await assertApplied(bench, await apply(bench, make(bench)));
        }));
    }
  });
}

async function assertGone(bench: BootBench, { images = [] }: BootArtifacts): Promise<void> {
  const { files } = await bench.fixture.observe();
  const left = images.filter(({ root, path }) => files.some((file) => file.root === root && file.path === path));
  assert.deepEqual(
    left.map(({ root, path }) => `${root}/${path}`),
    [],
    'images are left',
  );
}

/** Tests of what an interface finds out about the system that an instance asks for. */
export function describeInstanceImage({ runner: { describe, it }, use }: BootContext): void {
  const describeImage = async (bench: BootBench, instanceInfo: Info) => {
    const { node, ...rest } = bench.records();
    const task = bench.task({ ...rest, node: { ...node, instanceInfo: { ...node.instanceInfo, ...instanceInfo } } });
    return settled('describeImage', bench.driver.describeImage?.(task) ?? Promise.resolve(null));
  };
  describe('describeImage', () => {
    it('is there when images of the instance can be served', () =>
      use(async ({ driver }) => {
        const tags = servedSources.map(({ tag }) => tag).filter((tag) => driver.capabilities?.includes(tag));
        assert.ok(tags.length === 0 || driver.describeImage !== undefined, `${tags.join(', ')} is declared without it`);
        await Promise.resolve();
      }));

    it('gives the kernel, the ramdisk and the ISO image that instance_info names, and changes nothing', () =>
      use(async (bench) => {
        const before = await sortedTree(bench);
        const references = { kernel, ramdisk, boot_iso: iso };
        for (const [key, reference] of Object.entries(references)) {
          const others = key === 'ramdisk' ? { kernel: formatImageReference(kernel) } : {};
          const image = await describeImage(bench, { ...others, [key]: formatImageReference(reference) });
          if (image === null) return;
          const { kernel: foundKernel, ramdisk: foundRamdisk, bootIso } = image;
          const found = { kernel: foundKernel, ramdisk: foundRamdisk, boot_iso: bootIso };
          assert.deepEqual(found[key as keyof typeof found], reference, `instance_info.${key} is not in the answer`);
        }
        assert.deepEqual(await sortedTree(bench), before);
      }));

    for (const key of ['kernel', 'ramdisk', 'boot_iso'] as const) {
      it(`names instance_info.${key} when it is no reference to an image`, () =>
        use(async (bench) => {
          if (bench.driver.describeImage === undefined) return;
          const names = { kernel: formatImageReference(kernel), ramdisk: formatImageReference(ramdisk) };
          for (const text of ['gopher://192.0.2.1/image', 'http://user:secret0@192.0.2.1/image', '../image']) {
            const call = describeImage(bench, { ...(key === 'boot_iso' ? {} : names), [key]: text });
            const error = await rejected('describeImage', call, /^INVALID_PARAMETER$/, [...bench.secrets, 'secret0']);
            assert.ok(explain(error).includes(key), `the error does not name ${key}: ${explain(error)}`);
          }
        }));
    }
  });
}

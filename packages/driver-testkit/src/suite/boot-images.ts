import { formatImageReference, type BootSource, type ImageReference, type ServedSystem } from '@ironbark/core';
import { fixedUuid } from '../fakes/records.ts';

/** Images that the sources of the suite refer to. */
export const kernel: ImageReference = { kind: 'glance', id: fixedUuid(6, 1) };
export const ramdisk: ImageReference = { kind: 'url', url: 'http://192.0.2.1/images/instance.initramfs' };
export const iso: ImageReference = { kind: 'url', url: 'http://192.0.2.1/images/rescue.iso' };
/** What a source is moved to. */
export const newKernel: ImageReference = { kind: 'glance', id: fixedUuid(6, 2) };
export const newIso: ImageReference = { kind: 'url', url: 'http://192.0.2.1/images/newer.iso' };
/** An image that nobody has. */
export const lostImage: ImageReference = { kind: 'glance', id: fixedUuid(6, 15) };

export const servedSystem: ServedSystem = {
  kernel,
  ramdisk,
  root: 'UUID=0f1e2d3c-0000-4000-8000-000000000001',
  initramfsType: null,
};

/** The contents of all images but the lost one, by their reference as text. They are text, so that they can be read as files. */
export const bootImages: ReadonlyMap<string, Uint8Array> = new Map(
  [kernel, ramdisk, iso, newKernel, newIso].map((image) => {
    const text = formatImageReference(image);
    return [text, new TextEncoder().encode(`bytes of ${text}`)];
  }),
);

/** What a file has in it that an image was put into. */
export function contentOfImage(image: ImageReference): string {
  return new TextDecoder().decode(bootImages.get(formatImageReference(image)));
}

/** The images that a machine needs to boot from a source. */
export function imagesOf(source: BootSource): readonly ImageReference[] {
  if (source.kind === 'iso') return [source.image];
  const served = source.kind === 'iscsi' ? source.system : source;
  return served !== null && 'kernel' in served ? [served.kernel, served.ramdisk] : [];
}

/** The source with one of its images replaced; as it is when it has none. */
export function withImage(source: BootSource, image: ImageReference): BootSource {
  if (source.kind === 'iso') return { ...source, image };
  if (source.kind === 'nfs' || source.kind === 'ramdisk') return { ...source, kernel: image };
  if (source.kind !== 'iscsi' || source.system === null) return source;
  return { ...source, system: { ...source.system, kernel: image } };
}

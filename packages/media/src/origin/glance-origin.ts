import { formatImageReference, type GlanceReference } from '@ironbark/core';
import type { Image, ImageCatalogue } from '@ironbark/openstack';
import { imageError } from '../image-error.ts';
import type { ImageContent, Origin, Validators } from './origin.ts';

/** An image whose record is at hand. What Glance stores under an id does not change; its checksum proves that. */
export class GlanceOrigin implements Origin {
  readonly key: string;
  readonly name: string;
  readonly #catalogue: ImageCatalogue;
  readonly #image: Image;

  constructor(catalogue: ImageCatalogue, reference: GlanceReference, image: Image) {
    this.#catalogue = catalogue;
    this.#image = image;
    this.name = formatImageReference(reference);
    this.key = this.name;
  }

  async fetch(copy: Validators | null, offset: number, signal: AbortSignal): Promise<ImageContent | null> {
    const { id, status, sizeBytes, checksum, updatedAt } = this.#image;
    const version = checksum === null ? `${updatedAt} ${sizeBytes}` : `${checksum.algorithm}:${checksum.value}`;
    if (status !== 'active') {
      throw imageError('IMAGE_UNAVAILABLE', `Image ${id} has no content that can be fetched: it is ${status}.`, {
        hint: 'Upload its content, or activate it.',
        retryable: true,
      });
    }
    if (copy?.['version'] === version) return null;
    const bytes = await this.#catalogue.content(id, signal, offset);
    return { bytes, offset, sizeBytes, checksum, validators: { version } };
  }
}

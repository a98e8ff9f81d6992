import {
  IronbarkError,
  invalidParameter,
  type GlanceReference,
  type ImageReference,
  type Logger,
  type Task,
} from '@ironbark/core';
import type { HttpClient } from '@ironbark/http';
import type { Image, ImageCatalogue } from '@ironbark/openstack';
import { isUsableBy } from './access.ts';
import type { ImageCache } from './cache/image-cache.ts';
import type { ImageDescription, Images } from './images.ts';
import { findLocalFile } from './local-files.ts';
import { GlanceOrigin } from './origin/glance-origin.ts';
import { UrlOrigin } from './origin/url-origin.ts';

export interface ImageLibraryParts {
  /** Undefined in a dry run, which fetches nothing. */
  readonly cache: ImageCache | undefined;
  /** Undefined when no Glance is configured. */
  readonly catalogue: ImageCatalogue | undefined;
  readonly http: HttpClient;
  readonly fileDirectories: readonly string[];
  readonly log: Logger;
  /** Ends the connections of the parts. */
  readonly close: () => Promise<void>;
}

/** Knows for each kind of reference where its image is, and who may use it. */
export class ImageLibrary implements Images {
  readonly #parts: ImageLibraryParts;

  constructor(parts: ImageLibraryParts) {
    this.#parts = parts;
  }

  async describe(reference: ImageReference, task: Task): Promise<ImageDescription> {
    if (reference.kind === 'glance') {
      const { sizeBytes, properties } = (await this.#findInGlance(reference, task)).image;
      return { sizeBytes, properties };
    }
    if (reference.kind === 'url') return { sizeBytes: null, properties: {} };
    const { sizeBytes } = await findLocalFile(reference, this.#parts.fileDirectories);
    return { sizeBytes, properties: {} };
  }

  async withFile<R>(reference: ImageReference, task: Task, work: (path: string) => Promise<R>): Promise<R> {
    const { cache, fileDirectories, http, log } = this.#parts;
    if (cache === undefined) throw new IronbarkError('UNSUPPORTED', 'A dry run fetches no images.');
    if (reference.kind === 'file') return work((await findLocalFile(reference, fileDirectories)).path);
    if (reference.kind === 'url') return cache.use(new UrlOrigin(http, reference, log), task.signal, work);
    const { catalogue, image } = await this.#findInGlance(reference, task);
    return cache.use(new GlanceOrigin(catalogue, reference, image), task.signal, work);
  }

  async close(): Promise<void> {
    await this.#parts.cache?.close();
    await this.#parts.close();
  }

  async #findInGlance(
    { id }: GlanceReference,
    { node, signal, log }: Task,
  ): Promise<{ readonly catalogue: ImageCatalogue; readonly image: Image }> {
    const { catalogue } = this.#parts;
    if (catalogue === undefined) {
      throw invalidParameter(`Image ${id} is in Glance, and this conductor knows no Glance.`, {
        hint: 'Set settings.images.glance (auth_url, username, password …), or name the image by a URL.',
      });
    }
    const image = await catalogue.findImage(id, signal);
    if (image === undefined) throw noSuchImage(id, node);
    if (await isUsableBy(node, image, () => catalogue.listMembers(id, signal))) return { catalogue, image };
    // The node's project is not told that there is an image: for Glance there is none, either.
    const { visibility, owner } = image;
    log.warn({ node: node.uuid, image: id, visibility, owner }, 'The image is of another project than the node.');
    throw noSuchImage(id, node);
  }
}

function noSuchImage(id: string, { uuid, owner, lessee }: Task['node']): IronbarkError {
  const isOperators = owner === null && lessee === null;
  const who = isOperators ? '' : ` that the ${lessee === null ? 'owner' : 'lessee'} of node ${uuid} may use`;
  return invalidParameter(`There is no image ${id} in Glance${who}.`, {
    hint: isOperators
      ? 'Correct the id, or let the user of settings.images.glance see the image.'
      : 'Correct the id, make the image public, or share it with the project, which has to accept it.',
  });
}

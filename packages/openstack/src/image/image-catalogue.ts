import type { StreamedContent } from '@ironbark/http';

/**
 * The Image service API v2 (Glance), as far as booting needs it: reading only. Every call takes the signal of the work that it belongs
 * to, throws a {@link ServiceError}, and is made again when the connection breaks or the service is not there.
 */
export interface ImageCatalogue {
  /** Undefined when there is none, or none that our user may see. */
  findImage(imageId: string, signal: AbortSignal): Promise<Image | undefined>;
  /** Projects that a `shared` image was offered to. */
  listMembers(imageId: string, signal: AbortSignal): Promise<readonly ImageMember[]>;
  /**
   * The bytes of an image, as they come. A connection that breaks on the way is for the caller to deal with, who may ask for the rest.
   * @param offset bytes that are left out at the beginning. Default: 0.
   */
  content(imageId: string, signal: AbortSignal, offset?: number): Promise<StreamedContent>;
}

export interface Image {
  readonly id: string;
  readonly name: string | null;
  /** `active` when there is content; `queued`, `saving`, `importing`, `deactivated` and others. */
  readonly status: string;
  /** `public`, `community`, `shared`, `private`. */
  readonly visibility: string;
  /** Id of the project; null when the service does not tell. */
  readonly owner: string | null;
  /** Null until there is content. */
  readonly sizeBytes: number | null;
  /** Of the content; null when Glance has none that is known here. */
  readonly checksum: ImageChecksum | null;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** Texts that users added: `kernel_id`, `rootfs_uuid` and others. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface ImageChecksum {
  readonly algorithm: 'sha512' | 'sha256' | 'md5';
  /** Lower-case hex. */
  readonly value: string;
}

export interface ImageMember {
  readonly projectId: string;
  /** `accepted`, `pending`, `rejected`. */
  readonly status: string;
}

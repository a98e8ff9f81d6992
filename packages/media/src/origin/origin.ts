import type { StreamedContent } from '@ironbark/http';
import type { ImageChecksum } from '@ironbark/openstack';

/** Where an image is copied from. */
export interface Origin {
  /** The same for the same image, and for no other. */
  readonly key: string;
  /** For messages and logs: no credentials, no query. */
  readonly name: string;
  /**
   * Begins to fetch the image.
   * @param copy what was noted of the copy that there is; null: there is none.
   * @param offset bytes that the caller has already, which need not be sent again.
   * @returns null when the copy is as good as what could be fetched.
   */
  fetch(copy: Validators | null, offset: number, signal: AbortSignal): Promise<ImageContent | null>;
}

/** What tells later whether an image is still the same. */
export type Validators = Readonly<Record<string, string>>;

export interface ImageContent {
  readonly bytes: StreamedContent;
  /** Where the bytes begin: at the offset that was asked for, or at 0. */
  readonly offset: number;
  /** Of the whole image; null: known at its end. */
  readonly sizeBytes: number | null;
  readonly checksum: ImageChecksum | null;
  readonly validators: Validators;
}

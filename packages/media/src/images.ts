import type { ImageReference, Task } from '@ironbark/core';

/** The images that machines boot: found in Glance, on HTTP servers and in directories of this host, and kept in a bounded cache. */
export interface Images {
  /**
   * What is known of an image without fetching it.
   * @throws INVALID_PARAMETER when there is no such image, or the node may not use it; errors of the package, of Glance
   *   ({@link ServiceError}), or the reason of the abort.
   */
  describe(reference: ImageReference, task: Task): Promise<ImageDescription>;
  /**
   * Gives the work a file with the whole, verified image. It is fetched when there is no copy that is still the newest; who asks for
   * the same at the same time shares a download. The file must not be changed, and is there until the work has ended.
   * @throws as {@link describe}, or what the work throws.
   */
  withFile<R>(reference: ImageReference, task: Task, work: (path: string) => Promise<R>): Promise<R>;
  /** Ends downloads; what they have fetched is removed. */
  close(): Promise<void>;
}

export interface ImageDescription {
  /** Null: not known before it is fetched. */
  readonly sizeBytes: number | null;
  /** Texts that Glance has about the image, such as `kernel_id`; none of other images. */
  readonly properties: Readonly<Record<string, string>>;
}

import type { ImageReference, Task } from '@ironbark/core';

/** Where images are fetched from: a cache, an image service. */
export interface ImageFiles {
  /**
   * Makes an image available as a file of this host while `work` runs; the file is only to be read.
   * @returns what `work` returns.
   */
  withFile<Result>(reference: ImageReference, task: Task, work: (path: string) => Promise<Result>): Promise<Result>;
}

import { IronbarkError, type ErrorOptions } from '@ironbark/core';

export type ImageErrorCode =
  /** The server cannot be reached, or does not give the image. */
  | 'IMAGE_UNAVAILABLE'
  /** What arrived is not what was promised: its size or its checksum. */
  | 'IMAGE_CORRUPT'
  /** The image is larger than the cache may become. */
  | 'IMAGE_TOO_LARGE'
  /** The disk is full, or the cache is, with images that are in use. */
  | 'IMAGE_NO_SPACE'
  /** The file system refuses: rights, for one. */
  | 'IMAGE_CACHE_FAILED';

export function imageError(code: ImageErrorCode, message: string, options?: ErrorOptions): IronbarkError {
  return new IronbarkError(code, message, options);
}

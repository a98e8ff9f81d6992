import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { invalidParameter, type FileReference } from '@ironbark/core';

export interface LocalFile {
  /** Without symbolic links. */
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Finds an image in the directories that may be read.
 * @throws INVALID_PARAMETER for anything else, and the same for what is there and what is not: who may name images must not learn
 *   what files the host has.
 */
export async function findLocalFile({ path }: FileReference, directories: readonly string[]): Promise<LocalFile> {
  if (directories.length === 0) {
    throw invalidParameter(
      `The image file ${JSON.stringify(path)} is refused: this conductor reads no images from its own disk.`,
      {
        hint: 'List the directory in settings.images.file_directories, or serve the image by HTTP or Glance.',
      },
    );
  }
  const real = await realpath(path).catch(() => undefined);
  const stats =
    real !== undefined && (await isInside(real, directories)) ? await stat(real).catch(() => undefined) : undefined;
  if (real === undefined || stats === undefined || !stats.isFile()) {
    throw invalidParameter(`${JSON.stringify(path)} is no image file that this conductor may read.`, {
      hint: 'Put it into one of settings.images.file_directories; symbolic links must not lead out of them.',
    });
  }
  return { path: real, sizeBytes: stats.size };
}

async function isInside(real: string, directories: readonly string[]): Promise<boolean> {
  for (const directory of directories) {
    const root = await realpath(directory).catch(() => undefined);
    if (root !== undefined && real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return true;
  }
  return false;
}

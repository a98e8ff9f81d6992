import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageReference } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { namesIn, openBench, read, taskOf } from './support/library.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const fileImage = (path: string): ImageReference => ({ kind: 'file', path });

/** A directory with images, one that may be read, and links in it. */
async function openWithFiles() {
  const root = await temporaryDirectory();
  const allowed = join(root, 'images');
  await mkdir(join(allowed, 'directory'), { recursive: true });
  await mkdir(join(root, 'images-of-others'));
  for (const path of ['images/kernel', 'images-of-others/kernel', 'secret'])
    await writeFile(join(root, path), 'kernel');
  await symlink('kernel', join(allowed, 'link'));
  await symlink('../secret', join(allowed, 'link-out'));
  await symlink(root, join(allowed, 'directory-out'));
  await symlink(allowed, join(root, 'link-to-images'));
  return { root, bench: await openBench({ file_directories: [allowed] }) };
}

describe('an image on this host', () => {
  it('is used where it is', async () => {
    const { root, bench } = await openWithFiles();
    const path = join(root, 'images/kernel');
    expect(await bench.images.withFile(fileImage(path), taskOf(), async (given) => given)).toBe(path);
    expect(await bench.images.describe(fileImage(path), taskOf())).toEqual({ sizeBytes: 6, properties: {} });
    expect(await namesIn(bench)).toEqual([]);
  });

  it.each(['images/link', 'link-to-images/kernel', 'images/directory/../kernel'])(
    'may be named as %s',
    async (path) => {
      const { root, bench } = await openWithFiles();
      expect(await read(bench, fileImage(join(root, path)))).toBe('kernel');
    },
  );

  it.each([
    ['outside', 'secret'],
    ['in a directory whose name begins so', 'images-of-others/kernel'],
    ['behind a link that leads out', 'images/link-out'],
    ['behind a directory that leads out', 'images/directory-out/secret'],
    ['above', 'images/../secret'],
    ['missing', 'images/missing'],
    ['missing outside', 'missing'],
    ['a directory', 'images/directory'],
    ['the directory itself', 'images'],
  ])('is refused, and nothing told of it, when it is %s', async (_title, path) => {
    const { root, bench } = await openWithFiles();
    const full = `${root}/${path}`;
    for (const call of [() => read(bench, fileImage(full)), () => bench.images.describe(fileImage(full), taskOf())]) {
      await expect(call()).rejects.toMatchObject({
        code: 'INVALID_PARAMETER',
        message: `${JSON.stringify(full)} is no image file that this conductor may read.`,
      });
    }
  });

  it('is refused where no directory is configured, and what to configure is told', async () => {
    const { root } = await openWithFiles();
    await expect(read(await openBench(), fileImage(join(root, 'images/kernel')))).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      hint: expect.stringContaining('settings.images.file_directories'),
    });
  });

  it('is refused when the directory is missing', async () => {
    const { root } = await openWithFiles();
    const bench = await openBench({ file_directories: [join(root, 'no-such')] });
    await expect(read(bench, fileImage(join(root, 'secret')))).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

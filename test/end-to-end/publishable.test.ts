import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPackages } from '../site/packed-packages.ts';
import { publishedPackages, workspaceRoot } from '../workspace/workspace-packages.ts';

const names = publishedPackages.map(({ manifest }) => manifest.name);
let directory: string;
let tarballs: ReadonlyMap<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ironbark-packages-'));
  tarballs = await packPackages(names, directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe.each(names)('%s, packed', (name) => {
  it('has no fault that publint knows', async () => {
    const tarball = await readFile(tarballs.get(name) ?? '');
    const { messages, pkg } = await publint({
      pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength) },
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that resolve for every kind of ESM importer', async () => {
    const { stdout, exitCode } = await execa(
      'attw',
      [tarballs.get(name) ?? '', '--profile', 'esm-only', '--no-color'],
      {
        reject: false,
        localDir: workspaceRoot,
        preferLocal: true,
      },
    );
    expect(exitCode, stdout).toBe(0);
  });
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NfsServer } from '@ironbark/lab/nfs';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { startSegment } from '../segment.ts';

/** A directory with a file that only root may read. */
async function makeRoot(directory: string): Promise<string> {
  const path = join(directory, 'guest');
  await mkdir(join(path, 'etc'), { recursive: true });
  await writeFile(join(path, 'etc/secret'), 'read by root', { mode: 0o600 });
  return path;
}

/** Reads a file by NFS, as a program that is its own NFS client. @returns undefined when the server refuses. */
async function readByNfs(url: string): Promise<string | undefined> {
  const { exitCode, stdout } = await execa('nfs-cat', [url], { reject: false, timeout: 20_000 });
  return exitCode === 0 ? stdout : undefined;
}

it('an export is read by NFSv3, by way of rpcbind, and by NFSv4 on the usual port', async () => {
  const { network, directory } = await startSegment();
  const path = await makeRoot(directory);
  await using server = await NfsServer.start({ directory, path, exportPath: '/roots/guest', network });
  const url = `nfs://${server.host}/roots/guest/etc/secret`;
  expect(await readByNfs(`${url}?version=3`)).toBe('read by root');
  expect(await readByNfs(`${url}?version=4`)).toBe('read by root');
  expect(await readByNfs(`nfs://${server.host}${path}/etc/secret?version=3`)).toBeUndefined();
});

it('an export is read by NFSv4 on any port of loopback, without rpcbind', async () => {
  const { directory } = await startSegment();
  const path = await makeRoot(directory);
  await using server = await NfsServer.start({ directory, path, exportPath: '/roots/guest' });
  expect([server.host, server.port]).not.toContain(2049);
  const url = `nfs://${server.host}/roots/guest/etc/secret?nfsport=${server.port}`;
  expect(await readByNfs(`${url}&version=4`)).toBe('read by root');
  expect(await readByNfs(`${url}&version=3`)).toBeUndefined();
});

it('refuses to export what is not there', async () => {
  const { directory } = await startSegment();
  const missing = NfsServer.start({ directory, path: join(directory, 'missing'), exportPath: '/roots/guest' });
  await expect(missing).rejects.toMatchObject({ code: 'LAB_INVALID' });
});

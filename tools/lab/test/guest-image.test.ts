import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  copyImage,
  defaultCacheDirectory,
  distributionInitramfs,
  guestFiles,
  guestImage,
  guestRoot,
  parseGuestReport,
} from '../src/index.ts';

// Building with dracut takes its time where the image is not in the cache yet.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lab-test-'));
});

afterAll(async () => rm(cache, { recursive: true }));

test('builds that run at the same time end with one set of files and no leftovers', async () => {
  const parent = await mkdtemp(join(cache, 'parallel-'));
  const [{ directory, ...files }, second] = await Promise.all([guestFiles(parent), guestFiles(parent)]);

  expect(second).toEqual({ directory, ...files });
  const isVisible = (name: string): boolean => !name.endsWith('.lock');
  expect((await readdir(parent)).filter(isVisible)).toEqual([basename(directory)]);
  expect((await readdir(directory)).sort()).toEqual(
    Object.values(files)
      .map((path) => basename(path))
      .sort(),
  );
});

test('an image that was built is not built again', async () => {
  const { mtimeMs } = await stat(await guestImage(cache));

  expect((await stat(await guestImage(cache))).mtimeMs).toBe(mtimeMs);
});

test('a copy has the content of the image and takes no more room', async () => {
  const image = await guestImage(cache);
  const copy = join(cache, 'copy.img');
  await copyImage(image, copy);
  const [source, target] = await Promise.all([stat(image), stat(copy)]);

  expect(target.size).toBe(source.size);
  expect(target.blocks).toBeLessThanOrEqual(source.blocks);
  expect(await bootRecord(copy)).toEqual(await bootRecord(image));
});

test('the image has an active Linux partition, and a system partition for UEFI that fills the rest', async () => {
  const image = await guestImage(cache);
  const record = await bootRecord(image);
  const linux = { flags: 0x80, type: 0x83, start: 2048, sectors: 79_872 };
  const efi = { flags: 0, type: 0xef, start: linux.start + linux.sectors, sectors: 8192 };

  expect(record.readUInt16LE(510)).toBe(0xaa55);
  expect([446, 462].map((offset) => partition(record, offset))).toEqual([linux, efi]);
  expect(record.subarray(478, 510).every((byte) => byte === 0)).toBe(true);
  expect((await stat(image)).size).toBe((efi.start + efi.sectors) * 512);
});

test('the root file system is found by its label and by its UUID', async () => {
  const { stdout } = await execa('/sbin/blkid', [
    '-p',
    '-O',
    String(2048 * 512),
    '-o',
    'export',
    await guestImage(cache),
  ]);

  expect(stdout.split('\n')).toEqual(expect.arrayContaining([`LABEL=${guestRoot.label}`, `UUID=${guestRoot.uuid}`]));
});

test.each([
  ['initramfs-tools', ['usr/sbin/iscsistart', 'usr/bin/nfsmount', 'scripts/local-top/iscsi']],
  ['dracut', ['usr/sbin/iscsiadm', 'usr/sbin/mount.nfs4', 'usr/lib/open-iscsi/startup-checks.sh']],
] as const)('an initramfs of %s has what finds a root on iSCSI and on NFS', async (generator, programs) => {
  const image = await distributionInitramfs(generator, defaultCacheDirectory());
  const { stdout } = await execa('lsinitramfs', [image]);
  const paths = stdout.split('\n');
  const modules = ['iscsi_tcp.ko', 'nfs.ko', 'virtio_net.ko'];

  expect(paths).toEqual(expect.arrayContaining([...programs]));
  expect(modules.filter((name) => !paths.some((path) => path.endsWith(`/${name}`)))).toEqual([]);
});

test('the report of a guest is read from its line', () => {
  const line =
    'IRONBARK-GUEST ROOT-OK root=/dev/sda1 session=iqn.a:1 sessions=2 targets=iqn.a:1,iqn.b:2 initiator=iqn.c:3 uptime=3.21';

  expect(parseGuestReport(line)).toEqual({
    root: '/dev/sda1',
    session: 'iqn.a:1',
    targets: ['iqn.a:1', 'iqn.b:2'],
    initiator: 'iqn.c:3',
    uptimeSeconds: 3.21,
  });
  const disk = 'IRONBARK-GUEST ROOT-OK root=/dev/vda1 session= sessions=0 targets= initiator= uptime=2.58';
  expect(parseGuestReport(disk)).toMatchObject({ root: '/dev/vda1', session: '', targets: [] });
  expect(parseGuestReport('IRONBARK-GUEST FAIL no-ibft')).toBeUndefined();
});

async function bootRecord(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer } = await file.read({ buffer: Buffer.alloc(512), position: 0 });
  return buffer;
}

function partition(record: Buffer, offset: number) {
  return {
    flags: record[offset],
    type: record[offset + 4],
    start: record.readUInt32LE(offset + 8),
    sectors: record.readUInt32LE(offset + 12),
  };
}

import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { copyImage, guestImage, parseGuestReport } from '../src/index.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lab-test-'));
});

afterEach(async () => rm(cache, { recursive: true }));

test('builds that run at the same time end with one image and no leftovers', async () => {
  const [first, second] = await Promise.all([guestImage(cache), guestImage(cache)]);

  expect(second).toBe(first);
  expect(await readdir(cache)).toEqual([basename(dirname(first))]);
  expect(await readdir(dirname(first))).toEqual(['disk.img']);
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

test('the image begins with a boot record that has one active Linux partition', async () => {
  const record = await bootRecord(await guestImage(cache));

  expect(record.readUInt16LE(510)).toBe(0xaa55);
  expect([record[446], record[450], record.readUInt32LE(454)]).toEqual([0x80, 0x83, 2048]);
  expect(record.subarray(462, 510).every((byte) => byte === 0)).toBe(true);
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
  expect(parseGuestReport('IRONBARK-GUEST FAIL no-ibft')).toBeUndefined();
});

async function bootRecord(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer } = await file.read({ buffer: Buffer.alloc(512), position: 0 });
  return buffer;
}

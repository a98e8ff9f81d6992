import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { missingPackages, type DebianPackage } from '../src/index.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
  await writeFile(join(directory, 'vmlinuz-6.1'), '');
});

afterEach(async () => rm(directory, { recursive: true }));

const provenBy = (name: string, purpose: DebianPackage['purpose'] = 'lab'): DebianPackage => ({
  name,
  proof: join(directory, name),
  reason: 'it is tested',
  purpose,
});
const missing = async (...packages: readonly DebianPackage[]): Promise<readonly string[]> =>
  (await missingPackages(['lab'], packages)).map((each) => each.name);

test('a package is missing when what proves it is not there', async () => {
  expect(await missing(provenBy('vmlinuz-6.1'), provenBy('vmlinuz-6.2'))).toEqual(['vmlinuz-6.2']);
});

test('a pattern is proven by any name that begins so', async () => {
  expect(await missing(provenBy('vmlinuz-*'), provenBy('initrd-*'))).toEqual(['initrd-*']);
});

test('packages for another purpose are not asked for', async () => {
  expect(await missing(provenBy('nothing', 'test'))).toEqual([]);
});

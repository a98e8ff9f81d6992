import { readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { LabNetwork } from '../src/network/index.ts';

const enter = resolve(import.meta.dirname, '../src/network/enter.ts');
const inside = (...command: readonly string[]) =>
  execa(process.execPath, [enter, ...command], { reject: false, timeout: 30_000 });

test("a lab network refuses to begin in the host's own network, and says how to get into another", async () => {
  const before = networkInterfaces();
  await expect(LabNetwork.start()).rejects.toMatchObject({
    code: 'LAB_INVALID',
    hint: expect.stringContaining('network/enter.ts'),
  });
  expect(Object.keys(networkInterfaces())).toEqual(Object.keys(before));
});

test('a command that entered is in a network namespace of its own, with loopback up', async () => {
  const outside = await readlink('/proc/self/ns/net');
  const { stdout, exitCode } = await inside('sh', '-c', 'readlink /proc/self/ns/net && ip -brief link show up');
  expect(exitCode).toBe(0);
  const [namespace, ...interfaces] = stdout.split('\n');
  expect(namespace).not.toBe(outside);
  expect(interfaces).toEqual([expect.stringMatching(/^lo /)]);
});

test("the command's exit code is passed on", async () => {
  expect((await inside('sh', '-c', 'exit 7')).exitCode).toBe(7);
});

test('without a command it says what is missing', async () => {
  const { exitCode, stderr } = await inside();
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Usage:')]);
});

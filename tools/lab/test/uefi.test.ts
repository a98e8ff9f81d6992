import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  copyImage,
  defaultCacheDirectory,
  guestFiles,
  HttpServer,
  startLab,
  type GuestFiles,
  type Lab,
} from '../src/index.ts';

vi.setConfig({ testTimeout: 200_000, hookTimeout: 60_000 });

const bootTimeoutMs = 90_000;

let directory: string;
let lab: Lab;
let files: GuestFiles;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
  lab = await startLab({ directory });
  files = await guestFiles(defaultCacheDirectory());
});

afterEach(async () => {
  await lab.stop();
  await rm(directory, { recursive: true });
});

test('a UEFI machine loads GRUB by PXE and a kernel with arguments as they were written, and its disk when the override is used up', async () => {
  const tftpRoot = join(directory, 'tftp');
  const argument = `'odd=a*b|c$d"e'`;
  const script = ['linux /vmlinuz console=ttyS0 quiet', argument, '\ninitrd /ramdisk.img\nboot\n'].join(' ');
  await mkdir(join(tftpRoot, 'grub'), { recursive: true });
  for (const path of [files.networkLoader, files.kernel, files.ramdisk])
    await copyFile(path, join(tftpRoot, basename(path)));
  await writeFile(join(tftpRoot, 'grub/grub.cfg'), script);
  const disk = join(directory, 'disk.img');
  await copyImage(files.disk, disk);
  const network = { kind: 'user', bootFile: basename(files.networkLoader), tftpRoot } as const;
  const { machine, system } = await lab.createMachine({ name: 'machine', firmware: 'uefi', network, disk });
  const next = async (): Promise<string> => machine.serial.waitForLine(/GUEST \S+-OK/, { timeoutMs: bootTimeoutMs });
  await system.patchBoot({ BootSourceOverrideTarget: 'Pxe', BootSourceOverrideEnabled: 'Once' });
  const [ramdisk] = await Promise.all([next(), machine.powerOn()]);
  const [root] = await Promise.all([next(), machine.reset()]);

  expect(ramdisk).toMatch(/RAMDISK-OK .* arguments=BOOT_IMAGE=\/vmlinuz console=ttyS0 quiet odd=a\*b\|c\$d\\"e$/);
  expect(root).toMatch(/ROOT-OK root=\/dev\/vda1 /);
  expect(system.resets).toBe(2);
});

test('a UEFI machine boots a CD image by HTTP boot', async () => {
  const http = await HttpServer.start();
  try {
    http.files.set('/boot.iso', await readFile(files.iso));
    const network = { kind: 'user', bootFile: `http://10.0.2.2:${http.port}/boot.iso` } as const;
    const { machine } = await lab.createMachine({ name: 'machine', firmware: 'uefi', network });
    await machine.setBootOrder(['http']);
    await machine.powerOn();

    await machine.serial.waitForLine(/GUEST ISO-OK .* arguments=BOOT_IMAGE=\/boot\/vmlinuz /, {
      timeoutMs: bootTimeoutMs,
      from: 0,
    });
    expect(http.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  } finally {
    await http.stop();
  }
});

test.each(['bios', 'uefi'] as const)('a machine with %s boots its virtual CD', async (firmware) => {
  const { machine } = await lab.createMachine({ name: 'machine', firmware });
  await machine.insertMedia('cd', files.iso);
  await machine.setBootOrder(['cd']);
  await machine.powerOn();

  const line = await machine.serial.waitForLine(/GUEST \S+-OK /, { timeoutMs: bootTimeoutMs, from: 0 });
  expect(line).toContain('ISO-OK');
});

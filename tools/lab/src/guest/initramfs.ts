import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packCpio, type CpioEntry } from './cpio.ts';
import { moduleEntries, programEntries, type Kernel } from './kernel.ts';
import { busyboxCommands, powerButton } from './scripts.ts';

export const busybox = '/bin/busybox';

/** Where busybox acpid looks for what to do when the power button is pressed. */
export const powerButtonPath = 'etc/acpi/PWRF/00000080';

const directories = [
  ['bin', 'dev', 'etc', 'etc/acpi', 'etc/acpi/PWRF', 'etc/iscsi', 'proc', 'root', 'run', 'sys'],
  ['var', 'var/lib', 'var/lib/iscsi'],
].flat();

export interface InitramfsContents {
  readonly kernel: Kernel;
  /** The script that the kernel starts. */
  readonly init: string;
  /** With those that they depend on. */
  readonly modules: readonly string[];
  /** Absolute paths of programs that the script uses beside busybox. */
  readonly programs: readonly string[];
}

/** Packs an initramfs whose script runs under busybox. */
export async function packInitramfs({ kernel, init, modules, programs }: InitramfsContents): Promise<Buffer> {
  const found = await Promise.all(programs.map((program) => programEntries(program)));
  const links = programs.map((program): CpioEntry => {
    return { path: `bin/${program.slice(program.lastIndexOf('/') + 1)}`, kind: 'link', target: program };
  });
  const entries: CpioEntry[] = [
    ...directories.map((path): CpioEntry => ({ path, kind: 'directory' })),
    script('init', init),
    script(powerButtonPath, powerButton),
    { path: 'bin/busybox', kind: 'file', content: await readFile(busybox), executable: true },
    ...busyboxCommands.map((name): CpioEntry => ({ path: `bin/${name}`, kind: 'link', target: 'busybox' })),
    ...links,
    ...withParents(found.flat()),
    ...(await moduleEntries(kernel, modules)),
  ];
  return gzipSync(packCpio(entries), { level: 9 });
}

function script(path: string, text: string): CpioEntry {
  return { path, kind: 'file', content: Buffer.from(text), executable: true };
}

function withParents(entries: readonly CpioEntry[]): readonly CpioEntry[] {
  const parents = new Set<string>();
  for (const { path } of entries) {
    const parts = dirname(path).split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) parents.add(parts.slice(0, depth).join('/'));
  }
  return [...[...parents].map((path): CpioEntry => ({ path, kind: 'directory' })), ...entries];
}

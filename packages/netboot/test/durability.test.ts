import { join } from 'node:path';
import { secretText } from '@ironbark/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DnsmasqProvider } from '../src/dhcp/dnsmasq-provider.ts';
import { BootFileTree } from '../src/files/boot-file-tree.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Directories that have changed since they were flushed. */
const unflushed = vi.hoisted(() => new Set<string>());

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const path = await import('node:path');
  type AnyFunction = (...parameters: never[]) => Promise<unknown>;
  /** @param changed index of the parameter whose directory the call changes. */
  const noting = <Wrapped extends AnyFunction>(wrapped: Wrapped, changed: number): Wrapped => {
    const wrapper = async (...parameters: Parameters<Wrapped>) => {
      unflushed.add(path.dirname(String(parameters[changed])));
      return await wrapped(...parameters);
    };
    return wrapper as Wrapped;
  };
  const open: typeof real.open = async (opened, ...rest) => {
    const handle = await real.open(opened, ...rest);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      unflushed.delete(String(opened));
    };
    return handle;
  };
  return {
    ...real,
    open,
    rename: noting(real.rename, 1),
    symlink: noting(real.symlink, 1),
    mkdir: noting(real.mkdir as AnyFunction, 0),
    unlink: noting(real.unlink, 0),
    rmdir: noting(real.rmdir, 0),
  };
});

const nodeUuid = '00000001-0000-4000-8000-000000000000';
const link = { root: 'http', path: 'pxelinux.cfg/52-54-00-12-34-56', target: `${nodeUuid}/config` } as const;
const file = { root: 'http', path: `${nodeUuid}/config`, content: secretText`#!ipxe` } as const;

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

/** Directories below that of the test that a power failure would take back. */
function atRisk(): readonly string[] {
  return [...unflushed]
    .filter((path) => path.startsWith(`${directory}/`))
    .map((path) => path.slice(directory.length + 1));
}

describe('a power failure after a step', () => {
  it('takes back nothing that the tree was told to write, place or remove', async () => {
    const { mkdir, writeFile } = await import('node:fs/promises');
    const roots = { http: join(directory, 'http'), tftp: join(directory, 'tftp') };
    for (const root of Object.values(roots)) await mkdir(root);
    await writeFile(join(directory, 'kernel'), '');
    const tree = new BootFileTree({ roots, fileModes: { http: 0o640, tftp: 0o644 } });
    await tree.write(nodeUuid, [file], [link]);
    expect(atRisk()).toEqual([]);
    await tree.place(nodeUuid, { root: 'tftp', path: `${nodeUuid}/kernel` }, join(directory, 'kernel'));
    expect(atRisk()).toEqual([]);
    await tree.removeLinks(nodeUuid, [link]);
    expect(atRisk()).toEqual([]);
    await tree.remove(nodeUuid, []);
    // What was inside a directory that is gone for good is gone with it.
    expect(atRisk().filter((path) => !path.includes(nodeUuid))).toEqual([]);
  });

  it('takes back nothing that dnsmasq was told', async () => {
    const options = {
      provider: 'dnsmasq',
      directory: join(directory, 'dhcp'),
      servesTftp: true,
      tftpServer: null,
    } as const;
    const provider = new DnsmasqProvider(options, '/srv/tftp');
    await provider.prepare();
    unflushed.clear();
    const card = { portUuid: nodeUuid, macAddress: '52:54:00:12:34:56', bootFiles: { bios: 'undionly.kpxe' } };
    await provider.apply(nodeUuid, [card]);
    expect(atRisk()).toEqual([]);
    await provider.remove(nodeUuid, [card]);
    expect(atRisk()).toEqual([]);
  });
});

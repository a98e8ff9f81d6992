import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { describeBootDriver, type BootFixture, type BootHarness } from '@ironbark/driver-testkit/boot';
import { describe, it } from 'vitest';
import type { IpxeMethod } from '../src/index.ts';
import { openSite } from './site.ts';

type Tree = Awaited<ReturnType<BootFixture['observe']>>;

async function observe(directory: string): Promise<Tree> {
  const files: Tree['files'][number][] = [];
  const links: Tree['links'][number][] = [];
  for (const root of ['http', 'tftp']) {
    for (const entry of await readdir(join(directory, root), { recursive: true, withFileTypes: true })) {
      const absolute = join(entry.parentPath, entry.name);
      const path = posix.relative(join(directory, root), absolute);
      if (entry.isFile()) files.push({ root, path, content: await readFile(absolute, 'utf8') });
      if (entry.isSymbolicLink()) {
        links.push({ root, path, target: posix.join(posix.dirname(path), await readlink(absolute)) });
      }
    }
  }
  return { files, links };
}

describe.each(['pxe', 'uefihttp'] as const)('by %s', (method) => {
  describeBootDriver({ describe, it }, harnessFor(method));
});

function harnessFor(method: IpxeMethod): BootHarness {
  return {
    faults: ['write_refused'],
    hostileTexts: [' || shell', ' ; shell', ' && shell', ' #', '${password}', '\\', ' ', '\t'],
    refuses: [
      {
        title: 'a node without a PXE-enabled port',
        field: 'port',
        change: (records) => ({ ...records, ports: records.ports.map((port) => ({ ...port, pxeEnabled: false })) }),
      },
      {
        title: 'a port whose address is no MAC address',
        field: 'address',
        change: (records) => ({ ...records, ports: records.ports.map((port) => ({ ...port, address: '../../x' })) }),
      },
    ],
    async create({ records, images }) {
      const { boot, directory } = await openSite({ images, method });
      const obstacles = records.map(({ node }) => join(directory, 'http', node.uuid));
      return {
        driver: boot,
        records,
        observe: () => observe(directory),
        // A file where a directory belongs: unlike missing rights it also stops root.
        async inject(_fault, faulty) {
          const path = join(directory, 'http', faulty.node.uuid);
          await rm(path, { recursive: true, force: true });
          await writeFile(path, '');
          return faulty;
        },
        async repair() {
          for (const path of obstacles) await rm(path, { recursive: true, force: true });
        },
      };
    },
  };
}

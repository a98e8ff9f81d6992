import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultCacheDirectory, distributionInitramfs, guestFiles, type InitramfsGenerator } from '@ironbark/lab';
import { NfsServer } from '@ironbark/lab/nfs';
import { expect, it } from 'vitest';
import { enrollVolumeMachine } from '../../end-to-end/volume-machine.ts';
import { startSegment } from '../segment.ts';

const cache = defaultCacheDirectory();
const exportPath = '/roots/guest';

it.each([
  { generator: 'initramfs-tools', options: '', version: '3' },
  { generator: 'dracut', options: ',vers=4.2', version: '4.2' },
] as const satisfies readonly { generator: InitramfsGenerator; options: string; version: string }[])(
  'a machine mounts its root by NFS $version with an initramfs of $generator',
  async ({ generator, options, version }) => {
    const [guest, initramfs] = [await guestFiles(cache), await distributionInitramfs(generator, cache)];
    const { network, directory } = await startSegment();
    await using server = await NfsServer.start({ directory, path: guest.nfsRoot, exportPath, network });
    const machine = await enrollVolumeMachine([], {
      network,
      images: { file_directories: [guest.directory, dirname(initramfs)] },
      ipxe: { kernel_append_params: 'console=ttyS0' },
    });
    const { openstack, nodeUuid } = machine;
    await openstack.baremetal(
      ['node', 'set', '--property', 'capabilities=nfs_boot:True'],
      ['--instance-info', `nfs_root=${server.host}:${exportPath}${options}`],
      ['--instance-info', `kernel=${pathToFileURL(guest.kernel).href}`],
      ['--instance-info', `ramdisk=${pathToFileURL(initramfs).href}`, nodeUuid],
    );
    const up = machine.guestUp();
    await openstack.baremetal('node', 'deploy', '--wait', '120', nodeUuid);
    expect(await up).toMatch(new RegExp(`root=nfs4?:${server.host}:${exportPath} version=${version} `));
  },
);

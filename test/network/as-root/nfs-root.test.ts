import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultCacheDirectory, distributionInitramfs, guestFiles } from '@ironbark/lab';
import { NfsServer } from '@ironbark/lab/nfs';
import { expect, it, onTestFinished } from 'vitest';
import { EnrolledMachine } from '../../end-to-end/enrolled-machine.ts';
import { startSegment } from '../segment.ts';

const cache = defaultCacheDirectory();
const path = '/roots/guest';

it.each([
  {
    firmware: 'bios',
    generator: 'initramfs-tools',
    version: '3',
    kernelParameter: `${path} ip=dhcp console=ttyS0`,
    nfsRoot: (server: string) => `${server}:${path}`,
  },
  {
    firmware: 'uefi',
    generator: 'dracut',
    version: '4.2',
    kernelParameter: `${path},vers=4.2 ip=dhcp console=ttyS0`,
    nfsRoot: (server: string) => JSON.stringify({ server, path, options: 'vers=4.2' }),
  },
] as const)(
  'a $firmware machine mounts its root by NFS $version with an initramfs of $generator, and is released again',
  async ({ firmware, generator, version, kernelParameter, nfsRoot }) => {
    const [guest, initramfs] = [await guestFiles(cache), await distributionInitramfs(generator, cache)];
    const { network, directory } = await startSegment();
    await using server = await NfsServer.start({ directory, path: guest.nfsRoot, exportPath: path, network });
    const machine = await EnrolledMachine.start({
      network,
      firmware,
      images: { file_directories: [guest.directory, dirname(initramfs)] },
      ipxe: { kernel_append_params: 'console=ttyS0' },
    });
    onTestFinished(() => machine.stop());
    await machine.set(
      ['--property', 'capabilities=nfs_boot:True', '--instance-info', `deploy_boot_mode=${firmware}`],
      ['--instance-info', `nfs_root=${nfsRoot(server.host)}`],
      ['--instance-info', `kernel=${pathToFileURL(guest.kernel).href}`],
      ['--instance-info', `ramdisk=${pathToFileURL(initramfs).href}`],
    );
    expect(await machine.plan()).toMatchObject({
      problems: [],
      bootSource: 'nfs',
      firmware: { bootMode: firmware },
      artifacts: { images: [{ image: { path: guest.kernel } }, { image: { path: initramfs } }] },
    });
    const { serial } = machine.site.machine.machine;
    const seen = serial.lines.length;
    const line = await machine.deployUntil(/IRONBARK-GUEST (?:ROOT-OK|FAIL)/);
    expect(line).toMatch(new RegExp(`root=nfs4?:${server.host}:${path} version=${version} `));
    const commandLine = serial.lines.slice(seen).find((each) => each.includes('IRONBARK-GUEST ARGUMENTS'));
    expect(commandLine).toContain(`root=/dev/nfs nfsroot=${server.host}:${kernelParameter}`);
    expect(await machine.show()).toMatchObject({
      last_error: null,
      boot_mode: firmware,
      instance_info: { boot_option: 'netboot' },
    });
    expect(await machine.release()).toMatchObject({ node: { instance_info: {} }, left: [] });
  },
);

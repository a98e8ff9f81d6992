import { isHost, type NfsConnection } from '@ironbark/core';
import { unwritable } from './kernel-parameter.ts';

/**
 * The parameters by which a ramdisk mounts its root from an NFS server (Documentation/admin-guide/nfs/nfsroot.rst), as
 * initramfs-tools and dracut read them too. The network is brought up by DHCP.
 * @throws INVALID_PARAMETER naming the part that would be read as something else.
 */
export function nfsParameters(connection: NfsConnection): readonly string[] {
  const { server, path, options } = connection;
  if (!isHost(server)) throw unwritable('server of the NFS export', 'is no host name or address');
  if (!/^\/[\w./+@=-]*$/.test(path))
    throw unwritable('path of the NFS export', 'holds other characters than a path may');
  if (!options.every((option) => /^\w+(?:=[\w.:-]+)?$/.test(option))) {
    throw unwritable('options of the NFS export', 'are no mount options');
  }
  const host = server.includes(':') ? `[${server}]` : server;
  return ['root=/dev/nfs', `nfsroot=${[`${host}:${path}`, ...options].join(',')}`, 'ip=dhcp'];
}

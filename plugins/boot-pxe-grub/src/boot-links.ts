import { invalidParameter, type BootLink, type Port } from '@ironbark/core';

/** Path of a node's configuration in the TFTP root. */
export function configPath(nodeUuid: string): string {
  return `${nodeUuid}/config`;
}

/**
 * The links under which GRUB finds the node's configuration: by itself in the directory that it was built for (`/grub` or the root),
 * and through the configuration for all machines.
 * @throws INVALID_PARAMETER naming the port when its address is no Ethernet address.
 */
export function linksOfPort({ uuid, address, nodeUuid }: Port): readonly BootLink[] {
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(address)) {
    throw invalidParameter(`The address of port ${uuid} is ${JSON.stringify(address)}, which is no Ethernet address.`, {
      hint: `Write it as 52:54:00:12:34:56, or exclude the port: openstack baremetal port set --pxe-disabled ${uuid}.`,
    });
  }
  const name = `grub.cfg-01-${address.replaceAll(':', '-')}`;
  return [`grub/${name}`, name, `${address}.conf`].map((path) => {
    return { root: 'tftp', path, target: configPath(nodeUuid) };
  });
}

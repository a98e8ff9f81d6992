import { invalidParameter, type BootLink, type Port } from '@ironbark/core';
import { macLinkDirectory } from '@ironbark/netboot';

/** Ethernet, or the 20 bytes of an InfiniBand address. */
const macAddress = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){14})?$/;
const ethernetLength = 'aa:bb:cc:dd:ee:ff'.length;

/** Path of a node's script in the HTTP root. */
export function scriptPath(nodeUuid: string): string {
  return `${nodeUuid}/config`;
}

/**
 * The links under which the firmware of one port finds the node's script: iPXE by the MAC address with dashes, GRUB by its own names.
 * @throws INVALID_PARAMETER naming the port when its address is no MAC address.
 */
export function linksOfPort(port: Port): readonly BootLink[] {
  if (!macAddress.test(port.address)) {
    throw invalidParameter(
      `The address of port ${port.uuid} is ${JSON.stringify(port.address)}, which is no MAC address.`,
      {
        hint: 'Write it in lower case with colons, for example 52:54:00:12:34:56.',
      },
    );
  }
  const dashes = port.address.replaceAll(':', '-');
  const target = scriptPath(port.nodeUuid);
  return [`${macLinkDirectory}/${dashes}`, `grub.cfg-01-${dashes}`, `${port.address}.conf`].map((path) => {
    return { root: 'http', path, target };
  });
}

/** Whether a DHCP server knows the port by its address; InfiniBand identifies itself in another way. */
export function isEthernet(port: Port): boolean {
  return port.address.length === ethernetLength;
}

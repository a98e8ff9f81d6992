import type { DhcpBoot } from '@ironbark/core';

/** A network card that a DHCP server was told of. */
export type DhcpPort = Pick<DhcpBoot, 'portUuid' | 'macAddress'>;

/** Tells a DHCP server which boot file a machine gets. All of it is safe to repeat. */
export interface DhcpProvider {
  /**
   * Returns when the server's configuration is written; replaces what was said of these network cards.
   * @throws INVALID_PARAMETER for an address or boot file that the server's format cannot take, NETBOOT_FILE_FAILED.
   */
  apply(nodeUuid: string, entries: readonly DhcpBoot[]): Promise<void>;
  /** Takes back what was said of these network cards. One that another port or node has meanwhile is left alone. */
  remove(nodeUuid: string, ports: readonly DhcpPort[]): Promise<void>;
}

import { initiatorOf, invalidParameter, type Task } from '@ironbark/core';
import type { Connector } from '@ironbark/openstack';

/**
 * How a node presents itself to Cinder, from its volume connectors. `host` is the node's uuid in every call, since Cinder tells one
 * machine from another by it; the initiator is the one that the boot script uses.
 * @throws INVALID_PARAMETER when the connectors hold neither an iSCSI name nor a world wide port name.
 */
export function connectorOf({ node, volumeConnectors }: Pick<Task, 'node' | 'volumeConnectors'>): Connector {
  const { iqn, ips, wwpns, wwnns } = initiatorOf(volumeConnectors);
  if (iqn === null && wwpns.length === 0) {
    const types = [...new Set(volumeConnectors.map(({ type }) => type))].join(', ');
    throw invalidParameter(
      `Node ${node.uuid} has no volume connector that storage can export to${types === '' ? '' : `, only ${types}`}.`,
      {
        hint: `Create one of type iqn or wwpn with: openstack baremetal volume connector create --node ${node.uuid} --type iqn --connector-id <iqn>.`,
      },
    );
  }
  const [ip] = ips;
  return {
    host: node.uuid,
    ...(iqn === null ? {} : { initiator: iqn }),
    ...(ip === undefined ? {} : { ip }),
    ...(wwpns.length === 0 ? {} : { wwpns }),
    ...(wwnns.length === 0 ? {} : { wwnns }),
    ...(ips.length > 1 || wwpns.length > 1 ? { multipath: true as const } : {}),
  };
}

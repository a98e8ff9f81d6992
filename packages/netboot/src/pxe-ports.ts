import { missingParameter, type Port, type Task } from '@ironbark/core';

/** The network cards that a node boots from. @throws MISSING_PARAMETER when there is none. */
export function pxePorts({ node, ports }: Pick<Task, 'node' | 'ports'>): readonly Port[] {
  const enabled = ports.filter(({ pxeEnabled }) => pxeEnabled);
  if (enabled.length > 0) return enabled;
  throw missingParameter(`Node ${node.uuid} has no port with PXE enabled.`, {
    hint: `Create one with: openstack baremetal port create --node ${node.uuid} <MAC address>.`,
  });
}

import { randomUUID } from 'node:crypto';
import type { ApiClient } from './api-client.ts';

/** MAC address number `index` of a fleet; locally administered. */
function macAddress(index: number): string {
  const digits = index.toString(16).padStart(8, '0');
  return `52:54:${[0, 2, 4, 6].map((at) => digits.slice(at, at + 2)).join(':')}`;
}

/** Enrolls a bare node, as the benchmark of the API uses it. @returns its uuid. */
export async function enrollNode(client: ApiClient): Promise<string> {
  const uuid = randomUUID();
  await client.call('POST', '/v1/nodes', {
    uuid,
    name: `bench-${uuid}`,
    driver: 'fake-hardware',
    resource_class: 'baremetal',
    properties: { cpus: 32, memory_mb: 262_144, capabilities: 'iscsi_boot:True,boot_mode:uefi' },
    driver_info: { fake_address: '192.0.2.1', fake_password: 'not-shown' },
    extra: { rack: 'r17', position: 4 },
  });
  return uuid;
}

/** Makes a node that can be deployed from an iSCSI volume again and again: boot scripts are really written. */
export async function enrollVolumeNode(client: ApiClient, index: number): Promise<string> {
  const uuid = randomUUID();
  await client.call('POST', '/v1/nodes', {
    uuid,
    driver: 'fake-hardware',
    boot_interface: 'ipxe',
    storage_interface: 'external',
    deploy_interface: 'volume',
    properties: { capabilities: 'iscsi_boot:True' },
  });
  await client.call('POST', '/v1/ports', { node_uuid: uuid, address: macAddress(index) });
  await client.call('POST', '/v1/volume/connectors', {
    node_uuid: uuid,
    type: 'iqn',
    connector_id: `iqn.2026-01.org.example:${uuid}`,
  });
  return uuid;
}

/** Creates the boot volume target of a node; undeploying deletes it. */
export async function createTarget(client: ApiClient, nodeUuid: string): Promise<void> {
  await client.call('POST', '/v1/volume/targets', {
    node_uuid: nodeUuid,
    volume_type: 'iscsi',
    boot_index: 0,
    volume_id: `volume-of-${nodeUuid}`,
    properties: {
      target_portal: '192.0.2.10:3260',
      target_iqn: `iqn.2026-01.org.example:volume-${nodeUuid}`,
      target_lun: 1,
      auth_method: 'CHAP',
      auth_username: 'bench',
      auth_password: 'bench-secret-12',
    },
  });
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Enrolls a node whose deployment waits for an agent's work. @returns a function that sends a heartbeat of that agent. */
export async function enrollAgentNode(client: ApiClient): Promise<() => Promise<unknown>> {
  interface Lookup {
    readonly config: { readonly agent_token: string };
  }
  const uuid = randomUUID();
  const hour = 3_600_000;
  const driverInfo = { fake_delay_ms: { 'deploy.deploy': hour } };
  await client.call('POST', '/v1/nodes', {
    uuid,
    driver: 'fake-hardware',
    deploy_interface: 'fake',
    driver_info: driverInfo,
  });
  for (const [target, state] of [
    ['manage', 'manageable'],
    ['provide', 'available'],
    ['active', 'deploying'],
  ] as const) {
    await client.call('PUT', `/v1/nodes/${uuid}/states/provision`, { target });
    await reachState(client, uuid, state);
  }
  const { config } = await client.call<Lookup>('GET', `/v1/lookup?node_uuid=${uuid}`);
  const body = { callback_url: 'http://192.0.2.7:9999', agent_token: config.agent_token, agent_version: '9.0.0' };
  return () => client.call('POST', `/v1/heartbeat/${uuid}`, body);
}

async function reachState(client: ApiClient, uuid: string, wanted: string): Promise<void> {
  for (;;) {
    const { provision_state: state } = await client.call<{ readonly provision_state: string }>(
      'GET',
      `/v1/nodes/${uuid}/states`,
    );
    if (state === wanted) return;
    await sleep(5);
  }
}

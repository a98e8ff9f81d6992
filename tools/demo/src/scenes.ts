import type { ChapAccount, Volume } from '@ironbark/lab';
import type { MachineSite } from '@ironbark/lab/conductor';
import type { BareMetalApi } from './bare-metal-api.ts';
import type { Narrator } from './narrator.ts';

const bootTimeoutMs = 120_000;

export interface Stage {
  readonly api: BareMetalApi;
  readonly narrator: Narrator;
  readonly site: MachineSite;
  /** Ends the wait for the machine. */
  readonly signal: AbortSignal;
}

/** Makes the machine known and available. @returns the uuid of its node. */
export async function enrollMachine({ api, narrator, site }: Stage): Promise<string> {
  const { machine, address, systemPath } = site.machine;
  const { username, password } = site.lab.bmc;
  return narrator.scene('enroll the machine, manage and provide it', async () => {
    const { uuid } = await api.create('nodes', {
      driver: 'redfish',
      name: machine.name,
      storage_interface: 'external',
      properties: { capabilities: 'iscsi_boot:True' },
      driver_info: {
        redfish_address: address,
        redfish_system_id: systemPath,
        redfish_username: username,
        redfish_password: password,
      },
    });
    await api.create('ports', { node_uuid: uuid, address: machine.macAddresses[0] });
    await api.create('volume/connectors', {
      node_uuid: uuid,
      type: 'iqn',
      connector_id: `iqn.2017-08.org.openstack.${uuid}`,
    });
    await api.provision(uuid, 'manage', 'manageable');
    await api.provision(uuid, 'provide', 'available');
    return uuid;
  });
}

/** Deploys the node onto the volume and waits until its guest says that it runs from there. */
export async function bootMachine(stage: Stage, nodeUuid: string, volume: Volume, chap: ChapAccount): Promise<void> {
  const { api, narrator, site, signal } = stage;
  await api.create('volume/targets', {
    node_uuid: nodeUuid,
    volume_type: 'iscsi',
    boot_index: 0,
    volume_id: 'demo',
    properties: {
      target_iqn: volume.iqn,
      target_lun: volume.lun,
      target_portal: `${volume.portal.host}:${volume.portal.port}`,
      auth_method: 'CHAP',
      auth_username: chap.username,
      auth_password: chap.password,
    },
  });
  const { serial } = site.machine.machine;
  const up = serial.waitForLine(/IRONBARK-GUEST ROOT-OK/, { timeoutMs: bootTimeoutMs, signal });
  up.catch(() => {}); // heard below, unless the deployment fails first
  await narrator.scene('deploy', () => Promise.race([api.provision(nodeUuid, 'active', 'active'), up]));
  await narrator.scene('boot from the volume', () => up);
  const sessions = await site.lab.iscsi.sessions(volume.iqn);
  narrator.say(
    `\n  The machine runs from ${volume.iqn}; logged in at the target: ${sessions.map(({ initiator }) => initiator).join(', ')}.\n`,
  );
}

/** Undeploys and deletes the node; nothing is left at the target. */
export async function releaseMachine({ api, narrator, site }: Stage, nodeUuid: string): Promise<void> {
  await narrator.scene('undeploy', () => api.provision(nodeUuid, 'deleted', 'available'));
  if (site.machine.machine.isOn) throw new Error('The machine is still on.');
  const { targets } = await api.get<{ targets: readonly unknown[] }>('v1/volume/targets');
  if (targets.length > 0) throw new Error('A volume target is left.');
  await narrator.scene('delete the node', () => api.delete(`v1/nodes/${nodeUuid}`));
}

import type { VolumeOptions } from '@ironbark/lab';
import { startMachineSite, type MachineSite, type MachineSiteOptions } from '@ironbark/lab/conductor';
import { onTestFinished } from 'vitest';
import { OpenstackClient } from './openstack-client.ts';

/** Long enough for two boots of an emulated machine on a busy host. */
export const bootTimeoutMs = 180_000;

/** A machine at its site, enrolled and available, as the admin guide of the Bare Metal service gets it there. */
export interface VolumeMachine {
  readonly site: MachineSite;
  readonly openstack: OpenstackClient;
  readonly nodeUuid: string;
  /** The portal of the iSCSI target as the machine reaches it. */
  readonly portal: string;
  /** Settles with the line that the guest prints when it runs from the volume. */
  guestUp(): Promise<string>;
}

/** Starts a site, puts the volumes behind its iSCSI target, and enrolls the machine by the real client. */
export async function enrollVolumeMachine(
  volumes: readonly VolumeOptions[],
  options: MachineSiteOptions = {},
): Promise<VolumeMachine> {
  const ipxe = { attempts: 2, retry_delay: 1, reboot_delay: 5, ...options.ipxe };
  const site = await startMachineSite({ ...options, ipxe });
  onTestFinished(() => site.stop());
  for (const volume of volumes) await site.lab.createVolume(volume);
  const openstack = new OpenstackClient(site.conductor.url);
  return {
    site,
    openstack,
    nodeUuid: await enrollNode(site, openstack, 'external'),
    portal: `${site.lab.hostAddress}:${site.lab.iscsi.portal.port}`,
    guestUp: () => site.machine.machine.serial.waitForLine(/IRONBARK-GUEST ROOT-OK/, { timeoutMs: bootTimeoutMs }),
  };
}

/** Makes the machine of a site available as a node. @returns its uuid. */
export async function enrollNode(
  site: MachineSite,
  openstack: OpenstackClient,
  storageInterface: 'external' | 'cinder',
): Promise<string> {
  const { uuid } = await openstack.json<{ uuid: string }>(
    ['node', 'create', '--driver', 'redfish', '--name', 'machine-1'],
    [
      '--driver-info',
      `redfish_address=${site.machine.address}`,
      '--driver-info',
      `redfish_system_id=${site.machine.systemPath}`,
    ],
    [
      '--driver-info',
      `redfish_username=${site.lab.bmc.username}`,
      '--driver-info',
      `redfish_password=${site.lab.bmc.password}`,
    ],
  );
  await openstack.baremetal('port', 'create', '--node', uuid, site.machine.machine.macAddresses[0] ?? '');
  await openstack.baremetal('node', 'set', '--storage-interface', storageInterface, uuid);
  await openstack.baremetal('node', 'set', '--property', 'capabilities=iscsi_boot:True', uuid);
  await openstack.baremetal(
    ['volume', 'connector', 'create', '--node', uuid],
    ['--type', 'iqn', '--connector-id', `iqn.2017-08.org.openstack.${uuid}`],
  );
  await openstack.baremetal('node', 'manage', '--wait', '60', uuid);
  await openstack.baremetal('node', 'provide', '--wait', '60', uuid);
  return uuid;
}

/** Creates a volume target the way the guide types it. */
export async function createTarget(
  { openstack, nodeUuid }: VolumeMachine,
  bootIndex: number,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  await openstack.baremetal(
    ['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi'],
    ['--boot-index', String(bootIndex), '--volume-id', `volume-${bootIndex}`],
    Object.entries(properties).flatMap(([key, value]) => ['--property', `${key}=${value}`]),
  );
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyImage, guestImage, hostSeenByGuest, type ChapAccount } from '@ironbark/lab';
import { machineId, startMachineSite, type MachineSite } from '@ironbark/lab/conductor';
import { onTestFinished } from 'vitest';
import { OpenstackClient } from './openstack-client.ts';

const imageCache = join(tmpdir(), 'ironbark-guest-images');

/** Long enough for two boots of an emulated machine on a busy host. */
export const bootTimeoutMs = 180_000;

export interface Volume {
  readonly iqn: string;
  readonly lun: number;
  readonly chap?: ChapAccount;
  readonly mutualChap?: ChapAccount;
}

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
export async function enrollVolumeMachine(volumes: readonly Volume[]): Promise<VolumeMachine> {
  const directory = await mkdtemp(join(tmpdir(), 'ironbark-machine-'));
  const site = await startMachineSite({ directory, ipxe: { attempts: 2, retry_delay: 1, reboot_delay: 5 } });
  onTestFinished(async () => {
    await site.stop();
    await rm(directory, { recursive: true, force: true });
  });
  for (const [index, { iqn, lun, chap, mutualChap }] of volumes.entries()) {
    const disk = join(directory, `volume-${index}.img`);
    await copyImage(await guestImage(imageCache), disk);
    await site.iscsi.addTarget({
      iqn,
      volumes: { [lun]: disk },
      ...(chap === undefined ? {} : { chap }),
      ...(mutualChap === undefined ? {} : { mutualChap }),
    });
  }
  const openstack = new OpenstackClient(site.conductor.url);
  return {
    site,
    openstack,
    nodeUuid: await enrollNode(site, openstack),
    portal: `${hostSeenByGuest}:${site.iscsi.portal.port}`,
    guestUp: () => site.machine.serial.waitForLine(/IRONBARK-GUEST ROOT-OK/, { timeoutMs: bootTimeoutMs }),
  };
}

async function enrollNode(site: MachineSite, openstack: OpenstackClient): Promise<string> {
  const { uuid } = await openstack.json<{ uuid: string }>(
    ...['node', 'create', '--driver', 'redfish', '--name', 'machine-1'],
    ...[
      '--driver-info',
      `redfish_address=${site.bmc.url}`,
      '--driver-info',
      `redfish_system_id=${site.bmc.systemPath(machineId)}`,
    ],
    ...[
      '--driver-info',
      `redfish_username=${site.bmc.username}`,
      '--driver-info',
      `redfish_password=${site.bmc.password}`,
    ],
  );
  await openstack.baremetal('port', 'create', '--node', uuid, site.machine.macAddresses[0] ?? '');
  await openstack.baremetal('node', 'set', '--storage-interface', 'external', uuid);
  await openstack.baremetal('node', 'set', '--property', 'capabilities=iscsi_boot:True', uuid);
  await openstack.baremetal(
    ...['volume', 'connector', 'create', '--node', uuid],
    ...['--type', 'iqn', '--connector-id', `iqn.2017-08.org.openstack.${uuid}`],
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
    ...['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi'],
    ...['--boot-index', String(bootIndex), '--volume-id', `volume-${bootIndex}`],
    ...Object.entries(properties).flatMap(([key, value]) => ['--property', `${key}=${value}`]),
  );
}

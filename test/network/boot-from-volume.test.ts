import { requestLease } from '@ironbark/lab/network';
import { expect, it } from 'vitest';
import { bootTimeoutMs, createTarget, enrollVolumeMachine } from '../end-to-end/volume-machine.ts';
import { inOrder } from './occurrences.ts';
import { startSegment } from './segment.ts';

const volume = {
  name: 'root',
  iqn: 'iqn.2010-10.com.example:vol-x',
  lun: 1,
  chap: { username: 'ABC', password: 'XYZ-secret-123' },
};
const properties = {
  target_iqn: volume.iqn,
  target_lun: '1',
  auth_method: 'CHAP',
  auth_username: volume.chap.username,
  auth_password: volume.chap.password,
};

const loadsScript = ['user class: iPXE', 'bootfile-name  http://198.51.100.1:'];

it.each([
  // It has iPXE in the option ROM of its network card.
  { firmware: 'bios', stages: loadsScript },
  {
    firmware: 'uefi',
    stages: [
      'vendor class: PXEClient:Arch:00007',
      'bootfile-name  snponly.efi',
      '/snponly.efi to 198.51.100.',
      ...loadsScript,
    ],
  },
] as const)(
  'a $firmware machine boots from its volume from the first DHCP packet on, by what the conductor wrote for dnsmasq',
  async ({ firmware, stages }) => {
    const { network } = await startSegment();
    const machine = await enrollVolumeMachine([volume], { network, firmware });
    const { openstack, nodeUuid, site } = machine;
    await createTarget(machine, 0, { ...properties, target_portal: machine.portal });
    const { serial } = site.machine.machine;
    const described = serial.waitForLine(/IRONBARK-GUEST IBFT/, { timeoutMs: bootTimeoutMs });
    const up = machine.guestUp();
    await openstack.baremetal('node', 'deploy', '--wait', '120', nodeUuid);
    expect(await described).toContain(`IBFT ${volume.iqn} portal=${machine.portal} `);
    expect(await up).toContain(`session=${volume.iqn}`);
    expect(await site.lab.iscsi.sessions(volume.iqn)).toContainEqual({
      initiator: `iqn.2017-08.org.openstack.${nodeUuid}`,
      address: expect.stringMatching(/^198\.51\.100\.1\d\d$/),
    });
    expect(inOrder((await site.dhcp?.log()) ?? '', stages)).toEqual(stages);

    await openstack.baremetal('node', 'undeploy', '--wait', '120', nodeUuid);
    const [macAddress = ''] = site.machine.machine.macAddresses;
    const card = await network.addCard();
    const lease = async () => requestLease({ card, macAddress, architecture: 7, userClass: 'iPXE' });
    await expect.poll(async () => (await lease()).bootFile, { timeout: 10_000 }).toBeUndefined();
  },
);

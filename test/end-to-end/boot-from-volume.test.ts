import { freePort, hostSeenByGuest } from '@ironbark/lab';
import { describe, expect, it } from 'vitest';
import { bootTimeoutMs, createTarget, enrollVolumeMachine, type VolumeMachine } from './volume-machine.ts';

const chap = { username: 'ABC', password: 'XYZ-secret-123' };
const boot = { name: 'boot', iqn: 'iqn.2010-10.com.example:vol-x', lun: 1, chap };
const chapProperties = { auth_method: 'CHAP', auth_username: chap.username, auth_password: chap.password };

async function deploy({ openstack, nodeUuid }: VolumeMachine): Promise<void> {
  await openstack.baremetal('node', 'deploy', '--wait', '120', nodeUuid);
}

describe('a machine with real firmware, driven by the real client', () => {
  it('boots from an iSCSI volume with CHAP by the commands of the admin guide, and is released again', async () => {
    const machine = await enrollVolumeMachine([boot]);
    const { openstack, nodeUuid, site } = machine;
    await createTarget(machine, 0, {
      target_iqn: boot.iqn,
      target_lun: '1',
      target_portal: machine.portal,
      ...chapProperties,
    });
    await openstack.baremetal('node', 'unset', '--instance-info', 'image_source', nodeUuid);
    const up = machine.guestUp();
    await deploy(machine);
    expect(await up).toContain(
      `session=${boot.iqn} sessions=1 targets=${boot.iqn} initiator=iqn.2017-08.org.openstack.${nodeUuid}`,
    );
    // The firmware's session may still be open beside that of the operating system.
    const initiators = (await site.lab.iscsi.sessions(boot.iqn)).map(({ initiator }) => initiator);
    expect(new Set(initiators)).toEqual(new Set([`iqn.2017-08.org.openstack.${nodeUuid}`]));
    expect(await openstack.json('node', 'show', nodeUuid)).toMatchObject({
      provision_state: 'active',
      power_state: 'power on',
      last_error: null,
    });
    await openstack.baremetal('node', 'undeploy', '--wait', '120', nodeUuid);
    expect(site.machine.machine.isOn).toBe(false);
    expect(await openstack.json('volume', 'target', 'list')).toEqual([]);
    expect(await openstack.json('node', 'show', nodeUuid)).toMatchObject({
      provision_state: 'available',
      instance_info: {},
      driver_internal_info: {},
    });
  });

  it('boots through the second portal when the first one is dead', async () => {
    const machine = await enrollVolumeMachine([boot]);
    const dead = `${hostSeenByGuest}:${await freePort()}`;
    await createTarget(machine, 0, {
      target_iqn: boot.iqn,
      target_lun: '1',
      target_portals: JSON.stringify([dead, machine.portal]),
      target_iqns: JSON.stringify([boot.iqn, boot.iqn]),
      target_luns: '[1, 1]',
      ...chapProperties,
    });
    const up = machine.guestUp();
    await deploy(machine);
    expect(await up).toContain(`session=${boot.iqn}`);
  });

  it('finds an extra volume beside the one that it boots from', async () => {
    const extra = { name: 'extra', iqn: 'iqn.2010-10.com.example:vol-y', lun: 10 };
    const machine = await enrollVolumeMachine([boot, extra]);
    await createTarget(machine, 0, {
      target_iqn: boot.iqn,
      target_lun: '1',
      target_portal: machine.portal,
      ...chapProperties,
    });
    await createTarget(machine, 1, { target_iqn: extra.iqn, target_lun: '10', target_portal: machine.portal });
    const up = machine.guestUp();
    await deploy(machine);
    const line = await up;
    expect(line).toContain(`session=${boot.iqn} sessions=2`);
    expect(line).toContain(extra.iqn);
  });

  it('boots with mutual CHAP', async () => {
    const mutualChap = { username: 'target', password: 'target-secret-9' };
    const machine = await enrollVolumeMachine([{ ...boot, mutualChap }]);
    await createTarget(machine, 0, {
      target_iqn: boot.iqn,
      target_lun: '1',
      target_portal: machine.portal,
      ...chapProperties,
      mutual_auth_username: mutualChap.username,
      mutual_auth_password: mutualChap.password,
    });
    const proven = machine.site.machine.machine.serial.waitForLine(/IRONBARK-GUEST SESSION .* mutual=target/, {
      timeoutMs: bootTimeoutMs,
    });
    await deploy(machine);
    expect(await proven).toContain(boot.iqn);
  });

  it('says in last_error that the target refused its CHAP password', async () => {
    const machine = await enrollVolumeMachine([boot]);
    const { openstack, nodeUuid, site } = machine;
    await createTarget(machine, 0, {
      target_iqn: boot.iqn,
      target_lun: '1',
      target_portal: machine.portal,
      ...chapProperties,
      auth_password: 'not-the-password',
    });
    const rebooting = site.machine.machine.serial.waitForLine(/Restarting|rebooting|reboot/i, {
      timeoutMs: bootTimeoutMs,
    });
    await deploy(machine);
    await rebooting;
    expect(await openstack.json('node', 'show', nodeUuid)).toMatchObject({
      provision_state: 'active',
      last_error: expect.stringContaining('the target refused the CHAP credentials'),
    });
    expect(await openstack.json('node', 'history', 'list', nodeUuid)).toHaveLength(1);
    expect(site.conductor.log).not.toContain('not-the-password');
  });
});

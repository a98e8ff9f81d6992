import { IronbarkError, type Node } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode, type Lab } from './fixture.ts';

async function firmwareNode(lab: Lab, changes: Partial<Node> = {}, boot = 'test'): Promise<string> {
  const uuid = await volumeNode(lab);
  const { interfaces } = await lab.engine.nodes.get(uuid);
  await lab.store.nodes.update(uuid, { ...changes, interfaces: { ...interfaces, management: 'firmware', boot } });
  return uuid;
}

const inMode = (mode: string) => ({ properties: { capabilities: `iscsi_boot:True,boot_mode:${mode}` } });
const firmwareCalls = (lab: Lab) => lab.calls.filter((call) => /mode|secure|url/.test(call));

describe('the boot mode', () => {
  it('is set while the machine is off and before anything is attached, where the records ask for another', async () => {
    const lab = await createLab();
    const node = await provision(lab, await firmwareNode(lab, inMode('uefi')), 'deploy');
    expect(lab.calls.slice(0, 2)).toEqual(['boot device mode uefi', 'attach']);
    expect(node).toMatchObject({ provisionState: 'active', bootMode: 'uefi' });
  });

  it('is left alone where the machine has it already', async () => {
    const lab = await createLab();
    const node = await provision(lab, await firmwareNode(lab, inMode('bios')), 'deploy');
    expect(firmwareCalls(lab)).toEqual([]);
    expect(node.bootMode).toBe('bios');
  });

  it('is read into the record where nobody asks for one', async () => {
    const lab = await createLab();
    lab.firmware.bootMode = 'uefi';
    const node = await provision(lab, await firmwareNode(lab), 'deploy');
    expect(firmwareCalls(lab)).toEqual([]);
    expect(node.bootMode).toBe('uefi');
  });

  it('fails the deployment before anything is attached when the machine has another that cannot be changed', async () => {
    const lab = await createLab();
    lab.onCall = refusing('mode uefi');
    const node = await provision(lab, await firmwareNode(lab, inMode('uefi')), 'deploy');
    expect(node.provisionState).toBe('deploy failed');
    expect(node.lastError).toContain('offers no mode uefi');
    expect(lab.calls).not.toContain('attach');
  });

  it('is believed of a machine that neither tells it nor lets it be set', async () => {
    const lab = await createLab();
    lab.firmware.bootMode = null;
    lab.onCall = refusing('mode uefi');
    const node = await provision(lab, await firmwareNode(lab, inMode('uefi')), 'deploy');
    expect(node).toMatchObject({ provisionState: 'active', bootMode: null });
  });

  it('is believed where the management interface knows no boot modes', async () => {
    const lab = await createLab();
    const node = await provision(lab, await volumeNode(lab, inMode('uefi')), 'deploy');
    expect(node).toMatchObject({ provisionState: 'active', bootMode: null });
  });

  it('that the machine turns out to have fails the deployment before anything is attached where it cannot boot so', async () => {
    const lab = await createLab();
    const node = await provision(lab, await firmwareNode(lab, {}, 'uefi'), 'deploy');
    expect(node).toMatchObject({ provisionState: 'deploy failed', bootMode: 'bios' });
    expect(node.lastError).toContain('legacy BIOS mode');
    expect(lab.calls).not.toContain('attach');
  });
});

function refusing(what: string): (call: string) => void {
  return (call) => {
    if (call.includes(what)) throw new IronbarkError('BMC_UNSUPPORTED', `The BMC offers no ${what}.`);
  };
}

describe('Secure Boot', () => {
  const secure = { instanceInfo: { capabilities: { secure_boot: 'true' } } };

  it('is turned on with UEFI for an instance that asks for it, and off again for the next that does not', async () => {
    const lab = await createLab();
    const uuid = await firmwareNode(lab, secure);
    expect(await provision(lab, uuid, 'deploy')).toMatchObject({ bootMode: 'uefi', secureBoot: true });
    await lab.store.nodes.update(uuid, { instanceInfo: {} });
    expect(await provision(lab, uuid, 'rebuild')).toMatchObject({ bootMode: 'uefi', secureBoot: false });
    expect(firmwareCalls(lab)).toEqual([
      'boot device mode uefi',
      'boot device secure boot true',
      'boot device secure boot false',
    ]);
  });

  it('is turned off for the next instance also when the conductor did not see that it was turned on', async () => {
    const lab = await createLab();
    const uuid = await firmwareNode(lab, secure);
    lab.onCall = (call) => {
      if (!call.includes('secure boot true')) return;
      lab.firmware.secureBoot = true;
      throw new IronbarkError('BMC_UNREACHABLE', 'The answer was lost.');
    };
    expect((await provision(lab, uuid, 'deploy')).provisionState).toBe('deploy failed');
    lab.onCall = undefined;
    await lab.store.nodes.update(uuid, { instanceInfo: {} });
    const node = await provision(lab, uuid, 'deploy');
    expect([node.secureBoot, lab.firmware.secureBoot]).toEqual([false, false]);
    expect(node.driverInternalInfo).not.toHaveProperty('secure_boot_turned_on');
  });

  it('leaves the boot mode in the record when it cannot be turned on', async () => {
    const lab = await createLab();
    lab.onCall = refusing('secure boot');
    const node = await provision(lab, await firmwareNode(lab, secure), 'deploy');
    expect(node).toMatchObject({ provisionState: 'deploy failed', bootMode: 'uefi', secureBoot: null });
  });

  it('that somebody else has turned on stays for an instance that says nothing', async () => {
    const lab = await createLab();
    lab.firmware.secureBoot = true;
    const node = await provision(lab, await firmwareNode(lab), 'deploy');
    expect(firmwareCalls(lab)).toEqual([]);
    expect(node.secureBoot).toBe(true);
  });

  it('is no wish of a machine without it that is told not to use it', async () => {
    const lab = await createLab();
    lab.firmware.secureBoot = null;
    const changes = { instanceInfo: { capabilities: { secure_boot: 'false' } } };
    const node = await provision(lab, await firmwareNode(lab, changes), 'deploy');
    expect(node).toMatchObject({ provisionState: 'active', secureBoot: null });
  });
});

describe('UEFI HTTP boot', () => {
  it('is told its URL before the boot device is set', async () => {
    const lab = await createLab();
    const node = await provision(lab, await firmwareNode(lab, {}, 'http'), 'deploy');
    expect(node.provisionState).toBe('active');
    expect(lab.calls.filter((call) => call.startsWith('boot device'))).toEqual([
      'boot device url http://192.0.2.1/loader.efi',
      'boot device uefihttp persistently',
    ]);
  });

  it('goes on without a URL where the BMC takes none: DHCP names it', async () => {
    const lab = await createLab();
    lab.onCall = (call) => {
      if (call.includes('url')) throw new IronbarkError('BMC_UNSUPPORTED', 'There is no HttpBootUri.');
    };
    const node = await provision(lab, await firmwareNode(lab, {}, 'http'), 'deploy');
    expect(node.provisionState).toBe('active');
    expect(lab.calls).toContain('boot device uefihttp persistently');
  });

  it('gives way to PXE on a machine that does not offer it', async () => {
    const lab = await createLab();
    lab.onCall = (call) => {
      if (call.includes('uefihttp')) throw new IronbarkError('INVALID_PARAMETER', 'There is no uefihttp.');
    };
    const node = await provision(lab, await firmwareNode(lab, {}, 'http'), 'deploy');
    expect(node.provisionState).toBe('active');
    expect(lab.calls).toContain('boot device pxe persistently');
  });
});

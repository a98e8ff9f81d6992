import { describe, expect, it } from 'vitest';
import { createLab, volumeNode, type Lab } from './fixture.ts';

async function firmwareNode(lab: Lab): Promise<string> {
  const uuid = await volumeNode(lab);
  const { interfaces } = await lab.engine.nodes.get(uuid);
  await lab.store.nodes.update(uuid, { interfaces: { ...interfaces, management: 'firmware' } });
  return uuid;
}

describe('the management service', () => {
  it('sets the boot mode and keeps it in the record', async () => {
    const lab = await createLab();
    const uuid = await firmwareNode(lab);
    await lab.engine.management.setBootMode(uuid, 'uefi');
    expect(lab.firmware.bootMode).toBe('uefi');
    expect((await lab.engine.nodes.get(uuid)).bootMode).toBe('uefi');
  });

  it.each([true, false])('sets Secure Boot to %s and keeps it in the record', async (enabled) => {
    const lab = await createLab();
    const uuid = await firmwareNode(lab);
    lab.firmware.secureBoot = !enabled;
    await lab.engine.management.setSecureBoot(uuid, enabled);
    expect(lab.firmware.secureBoot).toBe(enabled);
    expect((await lab.engine.nodes.get(uuid)).secureBoot).toBe(enabled);
  });

  it('keeps nothing when the machine refuses', async () => {
    const lab = await createLab();
    const uuid = await firmwareNode(lab);
    lab.failing.add('boot device secure boot true');
    await expect(lab.engine.management.setSecureBoot(uuid, true)).rejects.toThrow('failed');
    expect((await lab.engine.nodes.get(uuid)).secureBoot).toBeNull();
  });

  it('says which management interface cannot set it', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab);
    const message = expect.stringContaining('management interface test cannot');
    await expect(lab.engine.management.setBootMode(uuid, 'uefi')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message,
    });
    await expect(lab.engine.management.setSecureBoot(uuid, true)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { createLab, provision, volumeNode } from './fixture.ts';

describe('the life of a node that boots from a volume', () => {
  it('happens in the order that the Bare Metal service keeps', async () => {
    const lab = await createLab();
    const uuid = await volumeNode(lab, { powerState: 'power on' });
    lab.powerStates.set(uuid, 'power on');
    lab.timeline.length = 0;
    await provision(lab, uuid, 'deploy');
    await lab.engine.power.request(uuid, 'power off', null);
    await lab.engine.idle();
    await lab.engine.power.request(uuid, 'power on', null);
    await lab.engine.idle();
    await provision(lab, uuid, 'undeploy');
    expect(lab.timeline).toEqual([
      '→ deploying',
      'baremetal.node.provision_set.start',
      'power off',
      'baremetal.node.storage_attach.start',
      'attach',
      'baremetal.node.storage_attach.end',
      'deploy',
      'write boot files',
      'boot device pxe persistently',
      'power on',
      '→ active',
      'baremetal.node.provision_set.end',

      'baremetal.node.power_set.start',
      'power off',
      'baremetal.node.storage_detach.start',
      'detach',
      'baremetal.node.storage_detach.end',
      'baremetal.node.power_set.end',

      'baremetal.node.power_set.start',
      'baremetal.node.storage_attach.start',
      'attach',
      'baremetal.node.storage_attach.end',
      'write boot files', // upstream boots from the stale script here
      'power on',
      'baremetal.node.power_set.end',

      '→ deleting',
      'baremetal.node.provision_set.start',
      'remove boot files',
      'power off',
      'baremetal.node.storage_detach.start',
      'detach',
      'baremetal.node.storage_detach.end',
      'baremetal.volumetarget.delete.start',
      'baremetal.volumetarget.delete.end',
      'clean up deployment',
      '→ cleaning',
      '→ available',
      'baremetal.node.provision_set.end',
    ]);
  });
});

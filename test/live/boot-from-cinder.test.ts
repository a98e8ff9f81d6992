import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCacheDirectory, guestImage } from '@ironbark/lab';
import { startMachineSite, type MachineSite } from '@ironbark/lab/conductor';
import { OpenStackAccess, type CinderVolume } from '@ironbark/lab/openstack';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ApiClient } from '../bench/api-client.ts';
import { OpenstackClient } from '../end-to-end/openstack-client.ts';
import { bootTimeoutMs, enrollNode } from '../end-to-end/volume-machine.ts';
import { cinderSettings } from './cinder-settings.ts';

const openstack = new OpenStackAccess(inject('openstack'));
const markKey = /^ironic_node_/;
let site: MachineSite;
let client: OpenstackClient;
let nodeUuid: string;
let volume: CinderVolume;

beforeAll(async () => {
  site = await startMachineSite({ cinder: cinderSettings(openstack.details) });
  client = new OpenstackClient(site.conductor.url);
  nodeUuid = await enrollNode(site, client, 'cinder');
  const image = await guestImage(defaultCacheDirectory());
  volume = await openstack.createVolume({ name: 'boot', image });
  await client.baremetal(
    ['volume', 'target', 'create', '--node', nodeUuid, '--type', 'iscsi'],
    ['--boot-index', '0', '--volume-id', volume.id],
  );
});

afterAll(async () => {
  await site?.stop();
  await openstack.deleteVolume(volume.id);
});

/** Settles when the machine runs from its volume. @returns the CHAP user that its firmware has logged in as. */
async function bootedAs(): Promise<string> {
  const { serial } = site.machine.machine;
  const [firmware, guest] = await Promise.all([
    serial.waitForLine(/IRONBARK-GUEST IBFT/, { timeoutMs: bootTimeoutMs }),
    serial.waitForLine(/IRONBARK-GUEST ROOT-OK/, { timeoutMs: bootTimeoutMs }),
  ]);
  const target = `iqn.2010-10.org.openstack:volume-${volume.id}`;
  expect(guest).toContain(
    `session=${target} sessions=1 targets=${target} initiator=iqn.2017-08.org.openstack.${nodeUuid}`,
  );
  return /\bchap=(\S+)/.exec(firmware)?.[1] ?? '';
}

async function bootScript(): Promise<string> {
  return readFile(join(site.siteDirectory, 'state/netboot/http', nodeUuid, 'config'), 'utf8');
}

/** Switches the power by the real client, and waits until the conductor has nothing left to do. */
async function power(target: 'on' | 'off'): Promise<void> {
  await client.baremetal('node', 'power', target, nodeUuid);
  const api = new ApiClient(site.conductor.url);
  try {
    await expect
      .poll(() => api.call('GET', `/v1/nodes/${nodeUuid}`), { timeout: 60_000 })
      .toMatchObject({ power_state: `power ${target}`, reservation: null });
  } finally {
    api.close();
  }
}

async function holdings() {
  const { status, metadata } = await openstack.volume(volume.id);
  const [attachments, exports] = [await openstack.attachments(), await openstack.exports()];
  return {
    status,
    marks: Object.keys(metadata).filter((key) => markKey.test(key)),
    instances: attachments.filter(({ volume_id }) => volume_id === volume.id).map(({ instance }) => instance),
    exports: exports.filter(({ volumeId }) => volumeId === volume.id).length,
  };
}

it('boots a machine from a volume of another project, connects it anew at each power cycle, and gives it back', async () => {
  const marks = [`ironic_node_${nodeUuid}`];
  const up = bootedAs();
  await client.baremetal('node', 'deploy', '--wait', '120', nodeUuid);
  const firstUser = await up;
  expect(await holdings()).toEqual({ status: 'in-use', marks, instances: [nodeUuid], exports: 1 });
  expect(await bootScript()).toContain(firstUser);

  await power('off');
  expect(await holdings()).toEqual({ status: 'available', marks, instances: [], exports: 0 });

  const upAgain = bootedAs();
  await power('on');
  const secondUser = await upAgain;
  expect(await holdings()).toEqual({ status: 'in-use', marks, instances: [nodeUuid], exports: 1 });
  expect(secondUser).not.toBe(firstUser);
  const script = await bootScript();
  expect(script).toContain(secondUser);
  expect(script).not.toContain(firstUser);

  await client.baremetal('node', 'undeploy', '--wait', '120', nodeUuid);
  expect(await holdings()).toEqual({ status: 'available', marks: [], instances: [], exports: 0 });
  expect(await client.json('volume', 'target', 'list')).toEqual([]);
  expect(await client.json('node', 'show', nodeUuid)).toMatchObject({
    provision_state: 'available',
    power_state: 'power off',
    last_error: null,
    driver_internal_info: {},
  });
});

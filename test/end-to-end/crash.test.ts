import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConductorProcess, pluginPaths } from '@ironbark/lab/conductor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../bench/api-client.ts';
import { createTarget, enrollVolumeNode } from '../bench/fleet.ts';
import { followEvents } from './conductor-events.ts';

const deploySteps = [
  'power.off',
  'management.sync_firmware',
  'storage.attach',
  'deploy.deploy',
  'boot.prepare',
  'management.set_boot_device',
  'network.configure',
  'power.on',
];
const undeploySteps = [
  'boot.clean_up',
  'power.off',
  'storage.detach',
  'storage.purge_targets',
  'deploy.clean_up',
  'network.remove',
  'instance.forget',
  'cleaning.begin',
  'cleaning.run',
];

/** Steps that take no time: the kill may find them done. All others are held, and have to be begun again. */
const instantSteps = ['boot.clean_up', 'instance.forget', 'cleaning.run'];

interface Node {
  readonly provision_state: string;
  readonly last_error: string | null;
  readonly reservation: string | null;
}

interface Operation {
  readonly verb: string;
  readonly state: string;
  readonly steps: readonly { readonly name: string; readonly state: string; readonly attempts: number }[];
}

let site: string;
let conductor: ConductorProcess;
let client: ApiClient;

beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), 'ironbark-crash-'));
  conductor = await ConductorProcess.start({
    site,
    config: {
      hostname: 'crash',
      api: { port: 0 },
      plugins: [
        ...pluginPaths('hardware-fake', 'boot-ipxe', 'storage-external'),
        join(import.meta.dirname, '../site/slow-steps-plugin'),
      ],
      enabled: {
        hardware: ['fake-hardware'],
        power: ['fake'],
        management: ['fake'],
        boot: ['fake', 'ipxe'],
        storage: ['noop', 'external'],
        deploy: ['fake', 'volume'],
        network: ['slow'],
      },
      settings: {
        // Slow enough that the kill arrives while a driver is at work; the machines outlive the conductor.
        fake: { delay_ms: 150, state_directory: join(site, 'machines') },
        netboot: { http_root: join(site, 'http'), http_url: 'http://192.0.2.1:8080' },
      },
    },
  });
  client = new ApiClient(conductor.url);
});

afterAll(async () => {
  client.close();
  await conductor.stop();
  await rm(site, { recursive: true, force: true });
});

/** Asks for a verb and kills the conductor at the instant when the step has begun, then starts it again. */
async function killAt(nodeUuid: string, target: string, step: string): Promise<void> {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const events = await followEvents(conductor.url, ({ type, node_uuid: uuid, data }) => {
    if (type === 'step.started' && uuid === nodeUuid && data['step'] === step) resolve();
  });
  await client.call('PUT', `/v1/nodes/${nodeUuid}/states/provision`, { target });
  await begun;
  await conductor.kill();
  events.on('error', () => {}).destroy();
  client.close();
  conductor = await ConductorProcess.startAgain(site);
  client = new ApiClient(conductor.url);
}

async function settled(nodeUuid: string): Promise<Node> {
  return expect
    .poll(() => client.call<Node>('GET', `/v1/nodes/${nodeUuid}`), { timeout: 30_000, interval: 50 })
    .toMatchObject({ reservation: null })
    .then(() => client.call<Node>('GET', `/v1/nodes/${nodeUuid}`));
}

async function availableNode(index: number): Promise<string> {
  const uuid = await enrollVolumeNode(client, index);
  for (const target of ['manage', 'provide']) {
    await client.call('PUT', `/v1/nodes/${uuid}/states/provision`, { target });
    await settled(uuid);
  }
  await createTarget(client, uuid);
  await client.call('PATCH', `/v1/nodes/${uuid}`, [{ op: 'add', path: '/deploy_interface', value: 'fake' }]);
  // A deployment begins with powering off: it has to have something to do.
  await client.call('PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power on' });
  await settled(uuid);
  return uuid;
}

/** Proves that the last operation has succeeded, and that the kill hit the step. */
async function expectResumed(nodeUuid: string, verb: string, killedStep: string): Promise<void> {
  const { operations } = await client.call<{ operations: readonly Operation[] }>(
    'GET',
    `/ironbark/v1/nodes/${nodeUuid}/operations`,
  );
  expect(operations[0]).toMatchObject({ verb, state: 'succeeded' });
  const attempts = operations[0]?.steps.find(({ name }) => name === killedStep)?.attempts;
  expect(instantSteps.includes(killedStep) || attempts === 2, `${killedStep} was begun ${attempts} times`).toBe(true);
}

/** Names under the HTTP root that are about one of the nodes. */
async function bootFiles(nodeUuid: string): Promise<readonly string[]> {
  const names = await readdir(join(site, 'http'), { recursive: true });
  return names.filter((name) => name.includes(nodeUuid));
}

describe('a conductor that is killed during a deployment', () => {
  it.each(deploySteps.map((step, index) => [step, index] as const))(
    'at step %s goes on and ends in active',
    async (step, index) => {
      const uuid = await availableNode(index);
      // The firmware has to have something to do, too.
      const value = { capabilities: { secure_boot: 'true' } };
      await client.call('PATCH', `/v1/nodes/${uuid}`, [{ op: 'add', path: '/instance_info', value }]);
      await killAt(uuid, 'active', step);
      expect(await settled(uuid)).toMatchObject({
        provision_state: 'active',
        driver_internal_info: { secure_boot_turned_on: true },
        power_state: 'power on',
        last_error: null,
      });
      await expectResumed(uuid, 'deploy', step);
      expect(await bootFiles(uuid)).toContain(join(uuid, 'config'));
    },
  );
});

describe('a conductor that is killed during an undeployment', () => {
  it.each(undeploySteps.map((step, index) => [step, index] as const))(
    'at step %s goes on and leaves nothing over',
    async (step, index) => {
      const uuid = await availableNode(100 + index);
      await client.call('PUT', `/v1/nodes/${uuid}/states/provision`, { target: 'active' });
      expect((await settled(uuid)).provision_state).toBe('active');
      await killAt(uuid, 'deleted', step);
      expect(await settled(uuid)).toMatchObject({
        provision_state: 'available',
        power_state: 'power off',
        last_error: null,
        instance_info: {},
        driver_internal_info: {},
      });
      await expectResumed(uuid, 'undeploy', step);
      expect(await bootFiles(uuid)).toEqual([]);
      expect(await client.call('GET', `/v1/volume/targets?node=${uuid}`)).toEqual({ targets: [] });
    },
  );

  it('leaves no link to a machine behind', async () => {
    const names = await readdir(join(site, 'http'), { recursive: true });
    const macs = names.filter((name) => /52[-:]54[-:]00[-:]00[-:]00[-:]6/.test(name));
    expect(macs).toEqual([]);
    expect(existsSync(join(site, 'http/boot.ipxe'))).toBe(true);
  });
});

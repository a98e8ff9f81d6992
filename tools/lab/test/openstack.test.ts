import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { OpenStackSession, startOpenStack, type CinderVolume, type OpenStack } from '../src/openstack/index.ts';
import { CinderCalls } from './cinder-calls.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const host = '11111111-2222-4333-8444-555555555555';
const iscsiConnector = { initiator: 'iqn.2026-01.org.ironbark:node', host };
const fibreChannelConnector = { wwpns: ['1000000000000001', '1000000000000002'], host };

let openstack: OpenStack;
let cinder: CinderCalls;

beforeAll(async () => {
  openstack = await startOpenStack();
  cinder = new CinderCalls(openstack);
});

afterAll(async () => openstack?.stop());

/** Reads the first bytes of a volume as a machine would, with the initiator of qemu. */
async function firstBytes(volume: CinderVolume, username: string, password: string): Promise<Buffer> {
  const { host: address, port } = openstack.details.portal;
  const target = (await openstack.exports()).find(({ volumeId }) => volumeId === volume.id)?.target ?? 'none';
  const options = {
    driver: 'iscsi',
    transport: 'tcp',
    portal: `${address}:${port}`,
    target,
    lun: 1,
    user: username,
    'password-secret': 'chap',
  };
  const copy = join(openstack.directory, `${volume.id}.copy`);
  const args = ['--object', `secret,id=chap,data=${password}`, '--image-opts'];
  const source = Object.entries(options)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  await execa('qemu-img', ['dd', ...args, '-O', 'raw', 'bs=512', 'count=1', `if=${source}`, `of=${copy}`]);
  return readFile(copy);
}

describe('an iSCSI volume', () => {
  test('is reachable with the credentials that Cinder gives, from the connection to the detachment', async () => {
    const image = join(openstack.directory, 'image');
    await writeFile(image, Buffer.alloc(512, 'ironbark'));
    const volume = await openstack.createVolume({ name: 'boot', image });
    expect(volume).toMatchObject({ status: 'available', bootable: 'true' });
    const attachment = await cinder.attach(volume.id, host, iscsiConnector);
    const { auth_username: username, auth_password: password } = attachment.connection_info;

    expect(await firstBytes(volume, String(username), String(password))).toEqual(await readFile(image));
    await expect(firstBytes(volume, String(username), 'another-password')).rejects.toThrow(/[Aa]uthenti|log in/);
    await cinder.detach(attachment.id);
    expect(await openstack.exports()).toEqual([]);
    expect(await openstack.volume(volume.id)).toMatchObject({ status: 'available' });
    await openstack.deleteVolume(volume.id);
  });

  test('gets new credentials with every connection', async () => {
    const volume = await openstack.createVolume({ name: 'again' });
    const first = await cinder.attach(volume.id, host, iscsiConnector);
    await cinder.detach(first.id);
    const second = await cinder.attach(volume.id, host, iscsiConnector);

    expect(second.connection_info['auth_password']).not.toBe(first.connection_info['auth_password']);
    await openstack.deleteVolume(volume.id);
  });

  test('stays reachable with the same credentials while Cinder is restarted', async () => {
    const volume = await openstack.createVolume({ name: 'stays' });
    const { connection_info: connection } = await cinder.attach(volume.id, host, iscsiConnector);
    await openstack.cinder.restart();

    const bytes = await firstBytes(volume, String(connection['auth_username']), String(connection['auth_password']));
    expect(bytes).toEqual(Buffer.alloc(512));
    await openstack.deleteVolume(volume.id);
  });
});

test('volumes of a Fibre Channel backend get target ports, and a LUN of their own for a host', async () => {
  const volumes = [
    await openstack.createVolume({ name: 'fc-1', type: 'fibre_channel' }),
    await openstack.createVolume({ name: 'fc-2', type: 'fibre_channel' }),
  ];
  const connections = [];
  for (const { id } of volumes) {
    connections.push((await cinder.attach(id, host, fibreChannelConnector)).connection_info);
  }

  const targets = ['500a098280feeba5', '500a098290feeba5'];
  expect(connections).toMatchObject([{ target_lun: 1 }, { target_lun: 2 }]);
  expect(connections[0]).toMatchObject({
    driver_volume_type: 'fibre_channel',
    target_wwn: targets,
    initiator_target_map: { '1000000000000001': targets, '1000000000000002': targets },
  });
  expect((await openstack.exports()).map(({ volumeId }) => volumeId).sort()).toEqual(
    volumes.map(({ id }) => id).sort(),
  );
  for (const { id } of volumes) await openstack.deleteVolume(id);
  expect(await openstack.exports()).toEqual([]);
});

test('a multiattach volume stays exported until its last attachment goes', async () => {
  const volume = await openstack.createVolume({ name: 'shared', multiattach: true });
  expect(volume.multiattach).toBe(true);
  const first = await cinder.attach(volume.id, host, iscsiConnector);
  const otherHost = '11111111-2222-4333-8444-666666666666';
  const second = await cinder.attach(volume.id, otherHost, { ...iscsiConnector, host: otherHost });
  await cinder.detach(first.id);
  expect(await openstack.exports()).toHaveLength(1);
  await cinder.detach(second.id);

  expect(await openstack.exports()).toEqual([]);
  await openstack.deleteVolume(volume.id);
});

test('what is left of an attachment is told, and taken away by a reset', async () => {
  const volume = await openstack.createVolume({ name: 'leaking' });
  await cinder.action(volume.id, { 'os-reserve': null });
  await cinder.action(volume.id, { 'os-initialize_connection': { connector: iscsiConnector } });
  expect(await openstack.leaks()).toEqual([
    `Volume ${volume.id} is attaching.`,
    expect.stringMatching(new RegExp(`^Volume ${volume.id} is not in use, and is exported \\(iqn`)),
  ]);
  await openstack.resetVolume(volume.id);

  expect(await openstack.leaks()).toEqual([]);
  expect(await openstack.volume(volume.id)).toMatchObject({ status: 'available' });
  await openstack.deleteVolume(volume.id);
});

test('Keystone that is stopped gives no tokens until it is started again', async () => {
  await openstack.keystone.stop();
  const reserve = { 'os-reserve': null };
  await expect(new CinderCalls(openstack).action(host, reserve)).rejects.toThrow('/auth/tokens?nocatalog: no answer');
  await openstack.keystone.start();

  await expect(new CinderCalls(openstack).action(host, reserve)).rejects.toThrow('404 {"itemNotFound"');
});

test('there is no Glance when it was not asked for, also not in the catalogue', async () => {
  const session = new OpenStackSession(openstack.authUrl, openstack.users.demo);
  const { catalog } = await session.call<{ catalog: { type: string; endpoints: unknown[] }[] }>(
    'GET',
    `${openstack.authUrl}/auth/catalog`,
  );
  expect(catalog.find(({ type }) => type === 'image')?.endpoints).toEqual([]);
  expect(() => openstack.imageUrl).toThrow('Glance does not run');
});

test('services that are stopped leave no process and no file', async () => {
  const other = await startOpenStack();
  await other.stop();

  expect([other.keystone.isRunning, other.cinder.isRunning]).toEqual([false, false]);
  await expect(access(other.directory)).rejects.toThrow('ENOENT');
});

test('services do not outlive a process that is killed', async () => {
  const program = fileURLToPath(new URL('openstack-process.ts', import.meta.url));
  const args = ['--conditions=@ironbark/source', program, openstack.directory];
  const child = execa(process.execPath, args, { reject: false, stdin: 'ignore', buffer: false });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(output.toString()) as number[];
  expect(pids).toHaveLength(2);
  child.kill('SIGKILL');
  await child;

  await expect.poll(() => pids.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 5000 }).toEqual([]);
});

test('a service that does not start says why', async () => {
  const other = await startOpenStack();
  try {
    await other.cinder.stop();
    await writeFile(join(other.directory, 'cinder/cinder.conf'), '[DEFAULT]\nenabled_backends = iscsi\nbad line\n');
    await expect(other.cinder.start()).rejects.toMatchObject({
      code: 'LAB_PROCESS_ENDED',
      message: expect.stringContaining('bad line'),
    });
  } finally {
    await other.stop();
  }
});

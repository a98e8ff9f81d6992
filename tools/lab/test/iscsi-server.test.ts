import { access, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IscsiServer, type ChapAccount, type IscsiPortal } from '../src/index.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const iqn = 'iqn.2026-01.org.ironbark.lab:volume';
const chap = { username: 'lab-user', password: 'throwaway-secret' };
const volumeBytes = 4 * 1024 * 1024;

let directory: string;
let server: IscsiServer;
let volumes: Readonly<Record<number, string>>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lab-test-'));
  const image = join(directory, 'volume.img');
  await writeFile(image, '');
  await truncate(image, volumeBytes);
  volumes = { 26: image };
  server = await IscsiServer.start({ directory });
});

afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** Logs in with qemu's own initiator and returns the size of the LUN. */
async function sizeOf(name: string, account?: ChapAccount, portal: IscsiPortal = server.portal): Promise<number> {
  const options = {
    driver: 'iscsi',
    transport: 'tcp',
    portal: `${portal.host}:${portal.port}`,
    target: name,
    lun: 26,
    ...(account === undefined ? {} : { user: account.username, 'password-secret': 'chap' }),
  };
  const secret = account === undefined ? [] : ['--object', `secret,id=chap,data=${account.password}`];
  const { stdout } = await execa('qemu-img', ['info', '--output=json', ...secret, `json:${JSON.stringify(options)}`]);
  return (JSON.parse(stdout) as { 'virtual-size': number })['virtual-size'];
}

test('a volume is reachable at the LUN that was asked for', async () => {
  await server.addTarget({ iqn, volumes });

  expect(await sizeOf(iqn)).toBe(volumeBytes);
});

test('a target with CHAP lets in who knows the secret', async () => {
  await server.addTarget({ iqn, volumes, chap });

  expect(await sizeOf(iqn, chap)).toBe(volumeBytes);
});

test.each([
  ['no credentials', undefined],
  ['a wrong secret', { ...chap, password: 'another-secret' }],
  ['an unknown user', { ...chap, username: 'somebody' }],
])('a target with CHAP refuses %s', async (_what, account) => {
  await server.addTarget({ iqn, volumes, chap });

  await expect(sizeOf(iqn, account)).rejects.toThrow(/Failed to (log in|connect)|[Aa]uthenti/);
});

test('the account of one target does not open another', async () => {
  const other = { username: 'other-user', password: 'other-secret-too' };
  await server.addTarget({ iqn, volumes, chap });
  await server.addTarget({ iqn: `${iqn}-2`, volumes, chap: other });

  await expect(sizeOf(iqn, other)).rejects.toThrow(/Failed to|[Aa]uthenti/);
});

test('a second portal leads to the same targets until it is removed', async () => {
  await server.addTarget({ iqn, volumes });
  const second = await server.addPortal();
  expect(await sizeOf(iqn, undefined, second)).toBe(volumeBytes);
  await server.removePortal(second);

  await expect(sizeOf(iqn, undefined, second)).rejects.toThrow('Failed to connect');
  expect(await sizeOf(iqn)).toBe(volumeBytes);
});

test('a removed target is gone, and its user name is free again', async () => {
  await server.addTarget({ iqn, volumes, chap });
  await server.removeTarget(iqn);
  await expect(sizeOf(iqn, chap)).rejects.toThrow(/Failed to/);
  const changed = { ...chap, password: 'changed-secret-1' };
  await server.addTarget({ iqn, volumes, chap: changed });

  expect(await sizeOf(iqn, changed)).toBe(volumeBytes);
});

test('a user name with two passwords is refused', async () => {
  await server.addTarget({ iqn, volumes, chap });
  const adding = server.addTarget({ iqn: `${iqn}-2`, volumes, chap: { ...chap, password: 'another-secret' } });

  await expect(adding).rejects.toMatchObject({ code: 'LAB_INVALID' });
});

test('two servers run side by side', async () => {
  await using other = new AsyncDisposableStack();
  const second = await IscsiServer.start({ directory });
  other.defer(async () => second.stop());
  await second.addTarget({ iqn, volumes });

  expect(second.portal.port).not.toBe(server.portal.port);
  expect(await sizeOf(iqn, undefined, second.portal)).toBe(volumeBytes);
  await expect(sizeOf(iqn)).rejects.toThrow(/Failed to/);
});

test('a stopped server leaves no process and no file, though it has targets', async () => {
  await server.addTarget({ iqn, volumes });
  const { pid } = server;
  await server.stop();

  await expect(access(`/proc/${pid}`)).rejects.toThrow('ENOENT');
  expect(await readdir(directory)).toEqual(['volume.img']);
});

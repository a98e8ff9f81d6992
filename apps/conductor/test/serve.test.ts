import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { call, gatePlugin, ironbark, serve } from './ironbark.ts';
import { createSite } from './site.ts';

// Processes are started; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const waiting = { timeout: 10_000, interval: 20 };

/** A site whose machines wait at every power action until {@link open} is called. */
function gateSite(config: object = {}): string {
  const site = createSite({ 'machine/.keep': '' });
  writeFileSync(
    join(site, 'ironbark.yaml'),
    JSON.stringify({
      hostname: 'c-1',
      api: { port: 0 },
      plugins: [gatePlugin],
      enabled: { hardware: ['gate'], power: ['gate'], management: ['gate'], boot: ['gate'] },
      settings: { gate: { directory: './machine' } },
      ...config,
    }),
  );
  return site;
}

function open(site: string): void {
  writeFileSync(join(site, 'machine/open'), '');
}

/** Powers a new node on and waits until the machine is asked to. */
async function powerOn(url: string, site: string): Promise<string> {
  const node = await call(url, 'POST', '/v1/nodes', { driver: 'gate', name: 'n-1' });
  const uuid = String(node.body['uuid']);
  const { status } = await call(url, 'PUT', `/v1/nodes/${uuid}/states/power`, { target: 'power on' });
  expect(status).toBe(202);
  await vi.waitFor(() => expect(existsSync(join(site, 'machine/entered'))).toBe(true), waiting);
  return uuid;
}

interface OperationBody {
  readonly state: string;
  readonly steps: readonly { readonly name: string; readonly attempts: number }[];
}

async function operationOf(url: string, uuid: string): Promise<OperationBody | undefined> {
  const { body } = await call(url, 'GET', `/ironbark/v1/nodes/${uuid}/operations`);
  return (body['operations'] as readonly OperationBody[])[0];
}

async function attemptsOnceDone(url: string, uuid: string): Promise<number | undefined> {
  return vi.waitFor(async () => {
    const operation = await operationOf(url, uuid);
    expect(operation?.state).toBe('succeeded');
    return operation?.steps.find(({ name }) => name === 'power.on')?.attempts;
  }, waiting);
}

describe('a conductor', () => {
  it('prints one line with its address when it answers', async () => {
    const { child, line, url } = await serve(gateSite());
    expect(line).toMatch(/^ironbark: c-1 is ready at http:\/\/127\.0\.0\.1:\d+\n$/);
    expect((await call(url, 'GET', '/v1/drivers')).body['drivers']).toEqual([
      expect.objectContaining({ name: 'gate' }),
    ]);
    child.kill('SIGTERM');
    expect((await child).stdout).toBe(line.trimEnd());
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with 0 on %s, its plugins shut down and the database free',
    async (signal) => {
      const site = gateSite();
      const { child } = await serve(site);
      child.kill(signal);
      expect((await child).exitCode).toBe(0);
      expect(existsSync(join(site, 'machine/shut-down'))).toBe(true);
      const again = await serve(site);
      expect(again.url).not.toBe('');
    },
  );

  it('asks for a user and a password when it is configured so', async () => {
    const site = gateSite({ api: { port: 0, auth: { strategy: 'http_basic', htpasswd: 'users' } } });
    writeFileSync(join(site, 'users'), '');
    const { url } = await serve(site);
    expect((await call(url, 'GET', '/v1/nodes')).status).toBe(401);
  });

  it('begins its links with the public address', async () => {
    const { url } = await serve(gateSite({ api: { port: 0, public_url: 'https://metal.example/' } }));
    expect(JSON.stringify((await call(url, 'GET', '/v1')).body)).toContain('"https://metal.example/v1/');
  });

  it('keeps what it was told', async () => {
    const site = gateSite();
    const first = await serve(site);
    await call(first.url, 'POST', '/v1/nodes', { driver: 'gate', name: 'n-1' });
    first.child.kill('SIGTERM');
    await first.child;
    const { url } = await serve(site);
    expect((await call(url, 'GET', '/v1/nodes/n-1')).status).toBe(200);
  });

  it('lets a running step end, without accepting requests, and exits with 0', async () => {
    const site = gateSite();
    const { child, url } = await serve(site);
    const uuid = await powerOn(url, site);
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'), waiting);
    expect(process.kill(child.pid ?? 0, 0)).toBe(true);
    open(site);
    expect((await child).exitCode).toBe(0);
    const again = await serve(site);
    expect(await attemptsOnceDone(again.url, uuid)).toBe(1);
  });

  it('breaks off a step that takes longer than the grace time, and goes on with it at the next start', async () => {
    const site = gateSite({ conductor: { grace_seconds: 0.1 } });
    const { child, url } = await serve(site);
    const uuid = await powerOn(url, site);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(0);
    open(site);
    const again = await serve(site);
    expect(await attemptsOnceDone(again.url, uuid)).toBe(2);
  });

  it('ends at once on a second signal', async () => {
    const site = gateSite({ conductor: { grace_seconds: 3600 } });
    const { child, url } = await serve(site);
    await powerOn(url, site);
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'), waiting);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(1);
  });

  it('does not wait for clients that listen to events', async () => {
    const { child, url } = await serve(gateSite());
    const stream = await fetch(`${url}/ironbark/v1/events`);
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(0);
    await stream.body?.cancel().catch(() => {});
  });

  it('writes no credential to its log', async () => {
    const site = gateSite({ log: { level: 'trace' }, notifications: { log: true } });
    const { child, url } = await serve(site);
    const driverInfo = { redfish_password: 'correct-horse', nested: { token: 'correct-horse' } };
    const { body } = await call(url, 'POST', '/v1/nodes', { driver: 'gate', name: 'n-1', driver_info: driverInfo });
    const target = { auth_password: 'correct-horse', target_lun: 1 };
    await call(url, 'POST', '/v1/volume/targets', {
      node_uuid: body['uuid'],
      volume_type: 'iscsi',
      boot_index: 0,
      volume_id: 'v-1',
      properties: target,
    });
    child.kill('SIGTERM');
    const { stderr } = await child;
    expect(stderr).toContain('volumetarget.create');
    expect(stderr).not.toContain('correct-horse');
  });
});

it('ends with 1 and the reason in the log when a plugin throws out of turn', async () => {
  const site = gateSite({ settings: { gate: { directory: './machine', crash: true } } });
  const { exitCode, stderr } = await ironbark(['serve', '--site', site]);
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/"level":60.*out of turn.*The conductor ends/)]);
});

describe('a start fails', () => {
  it('with the address when the port is taken, and frees the database', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await vi.waitFor(() => expect(server.listening).toBe(true));
    const { port } = server.address() as AddressInfo;
    const site = gateSite({ api: { port } });
    const { exitCode, stderr, stdout } = await ironbark(['serve', '--site', site]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`Error: The API cannot listen on 127.0.0.1, port ${port}: EADDRINUSE. [CONFIG_INVALID]`);
    await serve(site, { IRONBARK_API__PORT: '0' });
  });

  it('when another conductor has the database', async () => {
    const site = gateSite();
    await serve(site);
    const { exitCode, stderr } = await ironbark(['serve', '--site', site]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('[DATABASE_IN_USE]')]);
  });

  it.each([
    ['no plugin provides an enabled driver', { enabled: { boot: ['ipxe'] } }, 2, '[DRIVER_NOT_FOUND]'],
    [
      'a setting of a plugin is wrong',
      { settings: { gate: { directory: 7 } } },
      2,
      'settings.gate.directory: must be a path. [CONFIG_INVALID]',
    ],
    [
      'the users cannot be read',
      { api: { port: 0, auth: { strategy: 'http_basic', htpasswd: 'users' } } },
      2,
      '[CONFIG_INVALID]',
    ],
    ['the database cannot be opened', { database: { file: 'machine' } }, 1, 'Error: '],
  ])('when %s: a sentence without a stack', async (_case, config, code, message) => {
    const { exitCode, stderr } = await ironbark(['serve', '--site', gateSite(config)]);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConductorProcess, pluginPaths } from '@ironbark/lab/conductor';
import { startOpenStack, type OpenStack } from '@ironbark/lab/openstack';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { baremetal, IdentityClient, loginEnvironment, type Login } from './identity-client.ts';

/** Long enough for a call of the client on a busy host, short enough to wait for its end. */
const tokenSeconds = 20;
const cacheSeconds = 2;

let openstack: OpenStack;
let identity: IdentityClient;
let conductor: ConductorProcess;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ironbark-keystone-'));
  openstack = await startOpenStack({ tokenExpirationSeconds: tokenSeconds });
  identity = new IdentityClient(openstack.authUrl);
  conductor = await startConductor('site');
  // Clients use the public endpoint, the conductor finds its own by the internal one.
  await identity.addService(openstack.users.admin, 'baremetal', openstack.region, {
    public: conductor.url,
    internal: `${conductor.url.replace('127.0.0.1', '127.0.0.2')}/v1`,
  });
});

afterAll(async () => {
  await conductor?.stop();
  await openstack?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A conductor with machines that need no hardware. It listens on all addresses, so that it does not know its own. */
async function startConductor(name: string): Promise<ConductorProcess> {
  const { username, password, project } = openstack.users.conductor;
  const site = join(directory, name);
  const passwordFile = join(directory, `${name}-password`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return ConductorProcess.start({
    site,
    config: {
      hostname: name,
      api: {
        port: 0,
        auth: {
          strategy: 'keystone',
          auth_url: openstack.authUrl,
          username,
          user_domain_name: 'Default',
          password_file: passwordFile,
          project_name: project,
          project_domain_name: 'Default',
          region_name: openstack.region,
          token_cache_seconds: cacheSeconds,
          system_projects: ['service@Default'],
        },
      },
      plugins: pluginPaths('hardware-fake', 'boot-ipxe', 'storage-external'),
      enabled: {
        hardware: ['fake-hardware'],
        power: ['fake'],
        management: ['fake'],
        boot: ['fake', 'ipxe'],
        storage: ['noop', 'external'],
      },
      settings: {
        fake: { state_directory: join(site, 'machines') },
        netboot: { http_root: join(site, 'http'), http_url: 'http://192.0.2.1:8080' },
      },
    },
  });
}

const as = (login: Login, ...words: readonly string[]) =>
  baremetal(loginEnvironment(openstack.authUrl, openstack.region, login), ...words);
const withToken = (token: string, ...words: readonly string[]) =>
  baremetal({ OS_AUTH_TYPE: 'admin_token', OS_TOKEN: token, OS_ENDPOINT: conductor.url }, ...words);

const projectAdmin = (): Login => openstack.users.admin;
const systemAdmin = (): Login => {
  const { username, password } = openstack.users.admin;
  return { username, password };
};

/** A call of the API, for what the client cannot be made to do. */
async function call(token: string | undefined, method: string, path: string, body?: unknown, at = conductor) {
  const response = await fetch(`${at.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-openstack-ironic-api-version': '1.80',
      ...(token === undefined ? {} : { 'x-auth-token': token }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** The log comes through a pipe, later than the answer. */
async function logged(process: ConductorProcess, message: string): Promise<void> {
  await vi.waitFor(() => expect(process.log).toContain(message), { timeout: 10_000 });
}

describe('the client of an administrator of a project', () => {
  it('finds the conductor by the catalogue, and enrolls a machine that its project owns', async () => {
    const words = ['node', 'create', '--driver', 'fake-hardware', '--name', 'mine', '-f', 'json'];
    const { exitCode, stdout, stderr } = await as(projectAdmin(), ...words);
    expect([exitCode, stderr]).toEqual([0, '']);
    const { projectId } = await identity.logIn(openstack.users.admin);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'mine', owner: projectId });
  });

  it('may not give it to another project', async () => {
    const { exitCode, stderr } = await as(projectAdmin(), 'node', 'set', '--owner', 'somebody', 'mine');
    expect([exitCode, stderr]).toEqual([
      1,
      'Access was denied to the following resource: baremetal:node:update:owner. It needs a role for the whole system. (HTTP 403)',
    ]);
  });

  it('does not see machines of others, nor what belongs to no project', async () => {
    const { token } = await identity.logIn(systemAdmin());
    await call(token, 'POST', '/v1/nodes', { driver: 'fake-hardware', name: 'nobodys' });
    const shown = await as(projectAdmin(), 'node', 'show', 'nobodys');
    expect([shown.exitCode, shown.stderr]).toEqual([1, 'Node nobodys could not be found. (HTTP 404)']);
    const conductors = await as(projectAdmin(), 'conductor', 'list');
    expect(conductors.stderr).toBe(
      'Access was denied to the following resource: baremetal:conductor:get. It needs the role reader for the whole system. (HTTP 403)',
    );
  });
});

describe('the client of an administrator of the system', () => {
  it('sees all machines, and gives one to a lessee', async () => {
    const { projectId } = await identity.logIn(openstack.users.demo);
    const set = await as(systemAdmin(), 'node', 'set', '--lessee', projectId, 'mine');
    expect([set.exitCode, set.stderr]).toEqual([0, '']);
    const { stdout } = await as(systemAdmin(), 'node', 'list', '--fields', 'name', 'lessee', '-f', 'json');
    expect(JSON.parse(stdout)).toEqual([
      { Name: 'mine', Lessee: projectId },
      { Name: 'nobodys', Lessee: null },
    ]);
  });
});

describe('the client of a member', () => {
  it('uses the machine that the project leases', async () => {
    const { exitCode, stderr } = await as(openstack.users.demo, 'node', 'power', 'on', 'mine');
    expect([exitCode, stderr]).toEqual([0, '']);
    const { stdout } = await as(openstack.users.demo, 'node', 'list', '--fields', 'name', '-f', 'json');
    expect(JSON.parse(stdout)).toEqual([{ Name: 'mine' }]);
  });

  it('may not change what describes it', async () => {
    const { exitCode, stderr } = await as(openstack.users.demo, 'node', 'set', '--name', 'ours', 'mine');
    expect([exitCode, stderr]).toEqual([
      1,
      'Access was denied to the following resource: baremetal:node:update. It needs the role admin. (HTTP 403)',
    ]);
  });
});

describe('the client of a reader', () => {
  it('sees the machine of the project, and may not switch it', async () => {
    const shown = await as(
      openstack.users.reader,
      'node',
      'show',
      'mine',
      '-f',
      'value',
      '-c',
      'driver_info',
      '-c',
      'name',
    );
    expect(shown.stdout).toContain('Redacted');
    expect(shown.stdout).toContain('mine');
    const { exitCode, stderr } = await as(openstack.users.reader, 'node', 'power', 'off', 'mine');
    expect([exitCode, stderr]).toEqual([
      1,
      'Access was denied to the following resource: baremetal:node:set_power_state. It needs the role member. (HTTP 403)',
    ]);
  });
});

describe('the user of a system project', () => {
  it('takes machines that it does not own, as Nova does', async () => {
    const { token } = await identity.logIn(openstack.users.conductor);
    const instance = '6f1d2b34-3c0a-4f0e-9a6d-0e9d3f2b7a51';
    const patch = [{ op: 'add', path: '/instance_uuid', value: instance }];
    const taken = await call(token, 'PATCH', '/v1/nodes/nobodys', patch);
    expect([taken.status, taken.body.instance_uuid]).toEqual([200, instance]);
    expect((await call(token, 'GET', '/v1/nodes')).body.nodes).toHaveLength(2);
  });
});

describe('without a token that Keystone vouches for', () => {
  // The client does not show the text of such an answer, of whatever service.
  const refusal = 'Unauthorized (HTTP 401)';

  it('the client is told to log in when it has no token', async () => {
    const anonymous = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: conductor.url };
    const { exitCode, stderr } = await baremetal(anonymous, 'node', 'list');
    expect([exitCode, stderr]).toEqual([1, refusal]);
  });

  it('the client is told to log in when its token is made up', async () => {
    const { exitCode, stderr } = await withToken('made-up', 'node', 'list');
    expect([exitCode, stderr]).toEqual([1, refusal]);
  });

  it('the client is told to log in when its token was revoked', async () => {
    const { token } = await identity.logIn(openstack.users.demo);
    await identity.revoke(token);
    const { exitCode, stderr } = await withToken(token, 'node', 'list');
    expect([exitCode, stderr]).toEqual([1, refusal]);
  });

  it('the answer is that of every OpenStack service', async () => {
    const ours = await call('made-up', 'GET', '/v1/nodes');
    const cinder = await fetch(`${openstack.blockStorageUrl}/`, { headers: { 'x-auth-token': 'made-up' } });
    expect([ours.status, ours.body]).toEqual([cinder.status, await cinder.json()]);
    expect(cinder.headers.get('www-authenticate')).toMatch(/^Keystone uri="http:[^"]*"$/);
    expect(ours.headers.get('www-authenticate')).toBe(`Keystone uri="${openstack.authUrl}"`);
  });

  it('a token that was good is refused once it is revoked and no longer remembered', async () => {
    const { token } = await identity.logIn(openstack.users.demo);
    expect((await call(token, 'GET', '/v1/nodes')).status).toBe(200);
    await identity.revoke(token);
    await vi.waitFor(async () => expect((await call(token, 'GET', '/v1/nodes')).status).toBe(401), {
      timeout: (cacheSeconds + 10) * 1000,
      interval: 200,
    });
  });

  it('a token that was good is refused when it has expired', async () => {
    const { token } = await identity.logIn(openstack.users.demo);
    expect((await call(token, 'GET', '/v1/nodes')).status).toBe(200);
    await vi.waitFor(async () => expect((await call(token, 'GET', '/v1/nodes')).status).toBe(401), {
      timeout: (tokenSeconds + 10) * 1000,
      interval: 500,
    });
    expect((await call((await identity.logIn(openstack.users.demo)).token, 'GET', '/v1/nodes')).status).toBe(200);
  });

  it('the token of no service in the place of a service token spoils a good one', async () => {
    const { token } = await identity.logIn(openstack.users.demo);
    const get = (serviceToken: string) =>
      fetch(`${conductor.url}/v1/nodes`, { headers: { 'x-auth-token': token, 'x-service-token': serviceToken } });
    const service = (await identity.logIn(openstack.users.conductor)).token;
    expect([(await get(service)).status, (await get('made-up')).status, (await get(token)).status]).toEqual([
      200, 401, 401,
    ]);
  });
});

describe('boot scripts', () => {
  it('hold the address that the catalogue has', async () => {
    const { token } = await identity.logIn(systemAdmin());
    const { body: node } = await call(token, 'POST', '/v1/nodes', {
      driver: 'fake-hardware',
      boot_interface: 'ipxe',
      storage_interface: 'external',
      properties: { capabilities: 'iscsi_boot:True' },
    });
    const node_uuid = node.uuid as string;
    await call(token, 'POST', '/v1/ports', { node_uuid, address: '52:54:00:00:00:01' });
    const connector = { node_uuid, type: 'iqn', connector_id: 'iqn.2017-08.org.example:n' };
    await call(token, 'POST', '/v1/volume/connectors', connector);
    const properties = { target_portal: '192.0.2.9:3260', target_iqn: 'iqn.2026-01.org.example:v', target_lun: 1 };
    const target = { node_uuid, volume_type: 'iscsi', boot_index: 0, volume_id: 'v', properties };
    await call(token, 'POST', '/v1/volume/targets', target);
    const reportAddress = `${conductor.url.replace('127.0.0.1', '127.0.0.2')}/ironbark/v1/boot-report/${node_uuid}`;
    // The catalogue is that of the conductor's own token, which it renews in time.
    await vi.waitFor(
      async () => {
        const plan = await call(
          (await identity.logIn(systemAdmin())).token,
          'GET',
          `/ironbark/v1/nodes/${node_uuid}/plan`,
        );
        expect(JSON.stringify(plan.body)).toContain(reportAddress);
      },
      { timeout: (tokenSeconds + 10) * 1000, interval: 500 },
    );
    await logged(conductor, 'Machines report failed boots to the address in the catalogue of Keystone.');
  });
});

describe('while Keystone is down', () => {
  it('requests are told to come back, and served when it is there again', async () => {
    const { token } = await identity.logIn(openstack.users.demo);
    await openstack.keystone.stop();
    const down = await call(token, 'GET', '/v1/nodes');
    expect([down.status, down.body.error_message]).toEqual([
      503,
      expect.stringContaining('The Keystone service is temporarily unavailable.'),
    ]);
    expect((await call(undefined, 'GET', '/v1')).status).toBe(200);
    await openstack.keystone.start();
    expect((await call((await identity.logIn(openstack.users.demo)).token, 'GET', '/v1/nodes')).status).toBe(200);
  });

  it('a conductor starts, and serves when Keystone is there', async () => {
    await openstack.keystone.stop();
    const other = await startConductor('early');
    try {
      expect((await call('abc', 'GET', '/v1/nodes', undefined, other)).status).toBe(503);
      await logged(other, 'Keystone cannot be asked.');
      await openstack.keystone.start();
      const { token } = await identity.logIn(openstack.users.demo);
      expect((await call(token, 'GET', '/v1/nodes', undefined, other)).status).toBe(200);
    } finally {
      expect(await other.stop()).toBe(0);
    }
  });
});

it('writes neither passwords nor tokens to the log', () => {
  expect(conductor.log).toContain('Keystone');
  expect(conductor.log).not.toContain(openstack.users.conductor.password);
  // Fernet tokens begin so.
  expect(conductor.log).not.toContain('gAAAA');
});

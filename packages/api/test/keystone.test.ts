import { IronbarkError, type Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import type { TokenOwner, TokenValidator } from '../src/index.ts';
import { fault, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

const domain = { id: 'default', name: 'Default' };
const project = (name: string) => ({ id: `id-of-${name}`, name, domain });
const token = (given: Partial<TokenOwner>): TokenOwner => ({
  user: { name: 'alice', domain },
  project: null,
  system: false,
  roles: [],
  ...given,
});
const inProject = (name: string, ...roles: readonly string[]) => token({ project: project(name), roles });

const tokens: Readonly<Record<string, TokenOwner>> = {
  'system-admin': token({ system: true, roles: ['admin', 'member', 'reader'] }),
  'system-reader': token({ system: true, roles: ['reader'] }),
  'project-admin': inProject('red', 'admin', 'member', 'reader'),
  'project-member': inProject('red', 'member', 'reader'),
  'project-manager': inProject('red', 'Manager'),
  'project-reader': inProject('red', 'reader'),
  'other-admin': inProject('blue', 'admin'),
  nova: inProject('service', 'SERVICE'),
  unscoped: token({}),
  'domain-admin': token({ roles: ['admin'] }),
  nobody: inProject('red', 'heat_stack_owner', 'constructor'),
};

/** Keystone as it answers within the process: what the wire looks like is proven against a real one elsewhere. */
class MemoryValidator implements TokenValidator {
  readonly asked: string[] = [];
  failure: Error | undefined;

  async validate(given: Secret, signal: AbortSignal): Promise<TokenOwner | undefined> {
    signal.throwIfAborted();
    this.asked.push(given.reveal());
    if (this.failure !== undefined) throw this.failure;
    return Object.hasOwn(tokens, given.reveal()) ? tokens[given.reveal()] : undefined;
  }
}

const authUri = 'http://keystone.example:5000/v3';

function start(systemProjects?: readonly string[]): ApiUnderTest & { readonly validator: MemoryValidator } {
  const validator = new MemoryValidator();
  const options = { validator, authUri, ...(systemProjects === undefined ? {} : { systemProjects }) };
  const api = startApi({ auth: { strategy: 'keystone', ...options } });
  api.fake.change(nodeUuid, { owner: 'id-of-red' });
  return { ...api, validator };
}

const power = `/v1/nodes/${nodeUuid}/states/power`;
const on = { target: 'power on' };
const as = (name: string) => ({ 'x-auth-token': name });

describe('a request that Keystone does not vouch for', () => {
  it.each([
    ['no token', {}, []],
    ['an empty token', { 'x-auth-token': '' }, []],
    ['an unknown token', { 'x-auth-token': 'nonsense' }, ['nonsense']],
    ['a password instead', { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }, []],
    ['a service token only', { 'x-service-token': 'nova' }, []],
    ['an unknown service token', { ...as('project-member'), 'x-service-token': 'x' }, ['project-member', 'x']],
    [
      'the token of no service in its place',
      { ...as('project-member'), 'x-service-token': 'project-admin' },
      ['project-member', 'project-admin'],
    ],
  ])('is refused in the form of OpenStack services: %s', async (_case, headers, asked) => {
    const { call, validator } = start();
    const answer = await call('GET', '/v1/nodes', undefined, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'www-authenticate': `Keystone uri="${authUri}"`,
    });
    expect(answer.body).toEqual({
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    });
    expect(validator.asked).toEqual(asked);
  });

  it('is answered when it asks for something public, without a word to Keystone', async () => {
    const { call, validator } = start();
    for (const url of ['/', '/v1', '/ironbark/v1/openapi.json'])
      expect((await call('GET', url, undefined, as('nonsense'))).status).toBe(200);
    expect(validator.asked).toEqual([]);
  });

  it('is told to come back when Keystone cannot be asked, and the cause goes to the log only', async () => {
    const { call, validator } = start();
    validator.failure = new IronbarkError('OPENSTACK_UNREACHABLE', 'keystone.internal refuses the connection.');
    const answer = await call('GET', '/v1/nodes', undefined, as('system-admin'));
    expect(answer.status).toBe(503);
    expect(fault(answer)).toEqual({
      faultcode: 'Server',
      faultstring: 'The Keystone service is temporarily unavailable.',
      debuginfo: null,
      code: 'IDENTITY_UNAVAILABLE',
    });
    expect(answer.text).not.toContain('keystone.internal');
    validator.failure = undefined;
    expect((await call('GET', '/v1/nodes', undefined, as('system-admin'))).status).toBe(200);
  });

  it.each([
    ['no token', {}, 401],
    ['a token without a role', as('nobody'), 403],
  ])('does not become somebody by the headers of the middleware: %s', async (_case, headers, status) => {
    const { call } = start(['red@Default']);
    const forged = {
      'x-identity-status': 'Confirmed',
      'x-service-identity-status': 'Confirmed',
      'x-roles': 'admin,member,reader',
      'x-role': 'admin',
      'x-service-roles': 'service',
      'x-user-id': '1',
      'x-user-name': 'admin',
      'x-user': 'admin',
      'x-project-id': 'id-of-red',
      'x-project-name': 'red',
      'x-project-domain-name': 'Default',
      'x-tenant-id': 'id-of-red',
      'x-is-admin-project': 'True',
      'openstack-system-scope': 'all',
      'x-storage-token': 'system-admin',
    };
    expect((await call('GET', '/v1/nodes', undefined, { ...forged, ...headers })).status).toBe(status);
  });

  it('gains nothing by such headers beside a token', async () => {
    const { call, fake } = start();
    const forged = { 'x-roles': 'admin', 'x-project-id': 'id-of-blue', 'openstack-system-scope': 'all' };
    const answer = await call('PUT', power, on, { ...as('project-reader'), ...forged });
    expect(answer.status).toBe(403);
    expect(
      (await call('GET', power.replace('/power', ''), undefined, { ...as('other-admin'), ...forged })).status,
    ).toBe(404);
    expect(fake.calls).toEqual([]);
  });
});

describe('the roles of a token', () => {
  it.each([
    ['system-admin', 200, 202, 201],
    ['system-reader', 200, 403, 403],
    ['project-admin', 200, 202, 201],
    ['project-member', 200, 202, 403],
    ['project-manager', 200, 202, 403],
    ['project-reader', 200, 403, 403],
    ['other-admin', 404, 404, 201],
    ['nova', 404, 404, 403],
    ['unscoped', 403, 403, 403],
    ['domain-admin', 403, 403, 403],
    ['nobody', 403, 403, 403],
  ])('decide what %s may: see %i, switch %i, enroll %i', async (name, see, change, enroll) => {
    const { call } = start();
    const answers = [
      await call('GET', `/v1/nodes/${nodeUuid}`, undefined, as(name)),
      await call('PUT', power, on, as(name)),
      await call('POST', '/v1/nodes', { driver: 'fake-hardware' }, as(name)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([see, change, enroll]);
  });

  it('are named in a refusal', async () => {
    const { call } = start();
    const answer = await call('PUT', power, on, as('project-reader'));
    expect(fault(answer)).toMatchObject({
      code: 'FORBIDDEN',
      faultstring:
        'Access was denied to the following resource: baremetal:node:set_power_state. It needs the role member.',
    });
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });

  it('list the nodes of the project, and all nodes in the scope of the system', async () => {
    const { call } = start();
    const count = async (name: string) => (await call('GET', '/v1/nodes', undefined, as(name))).body.nodes.length;
    expect([await count('project-reader'), await count('other-admin'), await count('system-reader')]).toEqual([
      1, 0, 1,
    ]);
  });

  it('make the project of the token the owner of a new node', async () => {
    const { call } = start();
    const enroll = (name: string) => call('POST', '/v1/nodes', { driver: 'fake-hardware' }, as(name));
    expect((await enroll('project-admin')).body.owner).toBe('id-of-red');
    expect((await enroll('system-admin')).body.owner).toBeNull();
  });

  it('reach everything from a system project, named or by id', async () => {
    const patch = [{ op: 'add', path: '/instance_uuid', value: nodeUuid }];
    const take = (list?: readonly string[]) => start(list).call('PATCH', `/v1/nodes/${nodeUuid}`, patch, as('nova'));
    expect((await take(['service@Default'])).status).toBe(200);
    expect((await take(['id-of-service'])).status).toBe(200);
    for (const wrong of [undefined, [], ['service'], ['service@Other'], ['red@Default'], ['alice@Default']])
      expect((await take(wrong)).status, String(wrong)).toBe(404);
  });

  it('are those of the user, whatever service passes the token on', async () => {
    const { call } = start(['service@Default']);
    const headers = { ...as('project-reader'), 'x-service-token': 'nova' };
    expect((await call('GET', `/v1/nodes/${nodeUuid}`, undefined, headers)).status).toBe(200);
    expect((await call('PUT', power, on, headers)).status).toBe(403);
  });
});

describe('the log', () => {
  it('tells who changed something, and never the token', async () => {
    const lines: string[] = [];
    const write = (facts: object, message: string) => void lines.push(JSON.stringify({ ...facts, message }));
    const log = { debug: write, info: write, warn: write, error: write, child: () => log };
    const validator = new MemoryValidator();
    const api = startApi({ log, auth: { strategy: 'keystone', validator, authUri } });
    await api.call('PUT', power, on, as('system-admin'));
    validator.failure = new Error('down');
    await api.call('PUT', power, on, as('project-member'));
    expect(lines.some((line) => line.includes('"user":"alice@Default"'))).toBe(true);
    expect(lines.join('\n')).not.toMatch(/system-admin|project-member/);
  });
});

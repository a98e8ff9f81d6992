import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@ironbark/core';
import { hash } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApi, type ApiOptions, type AuthOptions } from '../src/index.ts';
import { fault, nodeUuid, send } from './api-under-test.ts';
import { FakeEngine, newNode } from './fake-engine.ts';

let directory: string;
let htpasswd: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ironbark-api-'));
  htpasswd = join(directory, 'htpasswd');
  const alice = (await hash('correct: horse', 4)).replace(/^\$2b/, '$2y');
  await writeFile(
    htpasswd,
    `# users\nalice:${alice}\n\nbob:${await hash('sésame', 4)}\nlong:${await hash('a'.repeat(72), 4)}\n`,
  );
});
afterAll(() => rm(directory, { recursive: true }));

function start(auth: Partial<Extract<AuthOptions, { strategy: 'http_basic' }>> = {}) {
  const fake = new FakeEngine();
  fake.nodeRows.set(nodeUuid, newNode(nodeUuid, { owner: 'bob' }));
  const options: ApiOptions = {
    engine: fake.asEngine(),
    log: silentLogger,
    auth: { strategy: 'http_basic', htpasswd, ...auth },
    version: '0',
  };
  const app = createApi(options);
  const get = (authorization?: string, url = '/v1/nodes', method = 'GET', body?: unknown) =>
    send(app, method, url, body, authorization === undefined ? {} : { authorization });
  return { fake, get };
}

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('HTTP Basic authentication', () => {
  it('lets in a user with the right password, which may have colons and accents', async () => {
    const { get } = start();
    expect((await get(basic('alice', 'correct: horse'))).status).toBe(200);
    expect((await get(basic('bob', 'sésame'))).status).toBe(200);
  });

  it.each([
    ['no credentials', undefined],
    ['another scheme', 'Bearer abc'],
    ['a wrong password', basic('alice', 'wrong')],
    ['an unknown user', basic('mallory', 'correct: horse')],
    ['no password', `Basic ${Buffer.from('alice').toString('base64')}`],
    ['no user', basic('', 'correct: horse')],
    ['no base64', 'Basic %%%'],
    ['a longer password that bcrypt would cut', basic('long', 'a'.repeat(73))],
  ])('refuses %s and says how to authenticate', async (_case, authorization) => {
    const answer = await start().get(authorization);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Baremetal API", charset="UTF-8"');
    expect(fault(answer).code).toBe('UNAUTHENTICATED');
    expect(answer.body.error).toMatchObject({ code: 401, title: 'Unauthorized' });
  });

  it('does not ask for what is public', async () => {
    expect((await start().get(undefined, '/v1')).status).toBe(200);
  });

  it('gives every user the whole service, unless roles are configured', async () => {
    const { get } = start();
    const create = () => get(basic('bob', 'sésame'), '/v1/nodes', 'POST', { driver: 'fake-hardware' });
    expect((await create()).status).toBe(201);
  });

  it('gives users the roles that are configured, and others none', async () => {
    const { get } = start({ roles: { alice: 'reader', bob: 'member' } });
    const power = `/v1/nodes/${nodeUuid}/states/power`;
    const alice = basic('alice', 'correct: horse');
    const bob = basic('bob', 'sésame');
    expect((await get(alice)).body.nodes).toHaveLength(1);
    expect((await get(alice, power, 'PUT', { target: 'power on' })).status).toBe(403);
    expect((await get(bob, power, 'PUT', { target: 'power on' })).status).toBe(202);
    expect((await get(bob, '/v1/nodes', 'POST', { driver: 'fake-hardware' })).status).toBe(403);
    expect((await get(basic('long', 'a'.repeat(72)))).status).toBe(403);
  });

  it('takes the project of a member from its name', async () => {
    const { fake, get } = start({ roles: { bob: 'member' } });
    fake.change(nodeUuid, { owner: 'alice' });
    expect((await get(basic('bob', 'sésame'))).body.nodes).toEqual([]);
  });

  it('notices a changed file', async () => {
    const path = join(directory, 'changing');
    await writeFile(path, `alice:${await hash('one', 4)}\n`);
    const { get } = start({ htpasswd: path });
    expect((await get(basic('alice', 'one'))).status).toBe(200);
    await writeFile(path, `alice:${await hash('two', 4)}\n`);
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    vi.useFakeTimers({ now: Date.now() + 3000, toFake: ['Date'] });
    try {
      expect((await get(basic('alice', 'two'))).status).toBe(200);
      expect((await get(basic('alice', 'one'))).status).toBe(401);
    } finally {
      vi.useRealTimers();
    }
  });

  it('checks passwords beside what serves the other requests', async () => {
    const path = join(directory, 'costly');
    await writeFile(path, `alice:${await hash('one', 12)}\n`);
    const { get } = start({ htpasswd: path });
    const inAll = process.cpuUsage();
    const here = process.threadCpuUsage();
    expect((await get(basic('alice', 'one'))).status).toBe(200);
    expect(process.threadCpuUsage(here).user).toBeLessThan(process.cpuUsage(inAll).user / 2);
  });

  it('turns sign-ins away when too many wait, and goes on afterwards', async () => {
    const { get } = start();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => get(basic('alice', `guess-${index}`))));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
    expect((await get(basic('alice', 'correct: horse'))).status).toBe(200);
  });

  it.each([
    ['no hash', 'alice:secret\n', 'Line 1'],
    ['an MD5 hash', '# c\nalice:$apr1$abcdefgh$abcdefghijklmnopqrstu1\n', 'Line 2'],
    ['no user', `:$2y$04$${'a'.repeat(53)}\n`, 'Line 1'],
  ])('does not start with a file that has %s', async (_case, content, where) => {
    const path = join(directory, 'broken');
    await writeFile(path, content);
    expect(() => start({ htpasswd: path })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(where) }),
    );
  });

  it('does not start without the file', () => {
    expect(() => start({ htpasswd: join(directory, 'missing') })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

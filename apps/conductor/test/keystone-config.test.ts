import { inspect } from 'node:util';
import { isIronbarkError, Secret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config/load.ts';
import { configJsonSchema } from '../src/config/schema.ts';
import { call, serve } from './ironbark.ts';
import { createSite } from './site.ts';

const user = {
  auth_url: 'http://keystone.example:5000/v3/',
  username: 'ironbark',
  user_domain_name: 'Default',
  project_name: 'service',
  project_domain_name: 'Default',
};

function parse(section: object, site = '/site') {
  const { auth } = parseConfig({ api: { auth: { strategy: 'keystone', ...section } } }, site).api;
  if (auth.strategy !== 'keystone') throw new Error(`It became ${auth.strategy}.`);
  return auth;
}

function problemOf(section: object): string {
  try {
    parse(section);
  } catch (error) {
    if (isIronbarkError(error, 'CONFIG_INVALID')) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a section api.auth with Keystone', () => {
  it('needs a user, and has defaults for the rest', () => {
    const auth = parse({ ...user, password: 'hunter2' });
    expect(auth).toMatchObject({
      session: {
        auth: {
          kind: 'keystone',
          url: 'http://keystone.example:5000/v3',
          credentials: {
            method: 'password',
            user: { name: 'ironbark', domain: { name: 'Default' } },
            password: expect.any(Secret) as Secret,
          },
          scope: { project: { name: 'service', domain: { name: 'Default' } } },
        },
        verifyCa: true,
      },
      endpoint: { region: null, interfaces: ['internal', 'public'] },
      authUri: 'http://keystone.example:5000/v3/',
      tokenCacheSeconds: 300,
      systemProjects: [],
    });
    expect(inspect(auth, { depth: null })).not.toContain('hunter2');
  });

  it('may have an application credential instead, and whatever else there is', () => {
    const auth = parse({
      auth_url: 'https://keystone.example',
      application_credential_id: 'abc',
      application_credential_secret: 's',
      www_authenticate_uri: 'https://public.example/identity/v3',
      region_name: 'north',
      interface: 'public',
      cafile: 'ca.pem',
      token_cache_seconds: 0,
      system_projects: ['service@Default'],
    });
    expect(auth).toMatchObject({
      session: {
        auth: { url: 'https://keystone.example/v3', credentials: { method: 'application_credential', id: 'abc' } },
        verifyCa: '/site/ca.pem',
      },
      endpoint: { region: 'north', interfaces: ['public'] },
      authUri: 'https://public.example/identity/v3',
      tokenCacheSeconds: 0,
      systemProjects: ['service@Default'],
    });
  });

  it('takes the password from a file that belongs to the site', () => {
    const { session } = parse(
      { ...user, password_file: 'secrets/keystone' },
      createSite({ 'secrets/keystone': 'abc\n' }),
    );
    expect(session.auth).toMatchObject({ credentials: { method: 'password' } });
    if (session.auth.kind !== 'keystone' || session.auth.credentials.method !== 'password') throw new Error('No.');
    expect(session.auth.credentials.password.reveal()).toBe('abc');
  });

  it.each([
    ['no credentials', user, 'api.auth.password: is missing'],
    ['no URL', { ...user, auth_url: undefined, password: 'p' }, 'api.auth.auth_url: is missing'],
    ['a URL of something else', { ...user, auth_url: 'ldap://x', password: 'p' }, 'api.auth.auth_url: '],
    ['a slip', { ...user, pasword: 'p' }, 'api.auth.pasword is not known (did you mean password'],
    [
      'an address of the service',
      { ...user, password: 'p', endpoint_override: 'http://x' },
      'endpoint_override is not known',
    ],
    ['a negative time', { ...user, password: 'p', token_cache_seconds: -1 }, 'api.auth.token_cache_seconds: '],
    ['a file that is missing', { ...user, password_file: '/nowhere/x' }, 'api.auth.password_file cannot be read'],
    ['a password twice', { ...user, password: 'p', password_file: 'x' }, 'are both given'],
  ])('is refused with %s', (_case, section, message) => {
    expect(problemOf(section)).toContain(message);
  });

  it('is known to editors, with the forms for files', () => {
    const text = JSON.stringify(configJsonSchema());
    for (const key of ['auth_url', 'password_file', 'application_credential_secret_file', 'system_projects'])
      expect(text).toContain(`"${key}":{`);
  });
});

describe('a conductor whose Keystone is down', { timeout: 60_000 }, () => {
  // Nothing listens on this port.
  const auth = { strategy: 'keystone', ...user, auth_url: 'http://127.0.0.1:1/v3', password: 'hunter2' };

  it('starts, says so, answers what is public, and tells the others to come back', async () => {
    const site = createSite({ 'ironbark.yaml': JSON.stringify({ api: { port: 0, auth } }) });
    const { child, url } = await serve(site);
    expect((await call(url, 'GET', '/v1')).status).toBe(200);
    expect((await call(url, 'GET', '/v1/nodes')).status).toBe(401);
    const answer = await fetch(`${url}/v1/nodes`, { headers: { 'x-auth-token': 'abc' } });
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining('The Keystone service is temporarily unavailable.'),
    ]);
    child.kill('SIGTERM');
    const { stderr, exitCode } = await child;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Until it can, requests are answered with status 503.');
    expect(stderr).not.toContain('hunter2');
  });
});

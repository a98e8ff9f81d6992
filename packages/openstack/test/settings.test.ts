import { isSecret } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openStackSettings, readOpenStackSettings } from '../src/index.ts';

function schemaOf(usesKeystone: boolean) {
  return z
    .strictObject(openStackSettings)
    .transform(
      (section, context) =>
        readOpenStackSettings(section, { usesKeystone, report: (issue) => context.addIssue(issue) }) ?? z.NEVER,
    );
}

const withKeystone = schemaOf(true);
const withoutKeystone = schemaOf(false);

const user = { username: 'conductor', user_domain_name: 'Default' };
const project = { project_name: 'service', project_domain_name: 'Default' };
const base = { auth_url: 'http://keystone.example:5000/v3', ...user, password: 'pw', ...project };

/** What is wrong, as `key: message`. */
function problemsOf(section: object, schema = withKeystone): readonly string[] {
  const issues = schema.safeParse(section).error?.issues ?? [];
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const authOf = (section: object) => withKeystone.parse(section).session.auth;

describe('settings of a session', () => {
  it('with user, password and project', () => {
    const { session, endpoint } = withKeystone.parse(base);
    expect(session).toMatchObject({
      auth: {
        kind: 'keystone',
        url: 'http://keystone.example:5000/v3',
        credentials: { method: 'password', user: { name: 'conductor', domain: { name: 'Default' } } },
        scope: { project: { name: 'service', domain: { name: 'Default' } } },
      },
      verifyCa: true,
      patience: { requestTimeoutMs: 60_000, connectTimeoutMs: 10_000 },
    });
    expect(endpoint).toEqual({ region: null, interfaces: ['internal', 'public'], override: null });
  });

  it('keep credentials secret', () => {
    const auth = authOf(base);
    expect(
      auth.kind === 'keystone' && auth.credentials.method === 'password' && isSecret(auth.credentials.password),
    ).toBe(true);
    expect(JSON.stringify(auth)).not.toContain('"pw"');
  });

  it.each([
    ['http://k:5000', 'http://k:5000/v3'],
    ['http://k:5000/', 'http://k:5000/v3'],
    ['https://k/identity/v3/', 'https://k/identity/v3'],
  ])('take %s as %s', (auth_url, url) => {
    expect(authOf({ ...base, auth_url })).toMatchObject({ url });
  });

  it.each([
    ['ids', { user_id: 'u1', password: 'pw', project_id: 'p1' }, { user: { id: 'u1' } }, { project: { id: 'p1' } }],
    [
      'domains by id',
      { username: 'a', user_domain_id: 'd1', password: 'pw', project_name: 'p', project_domain_id: 'd2' },
      { user: { name: 'a', domain: { id: 'd1' } } },
      { project: { name: 'p', domain: { id: 'd2' } } },
    ],
    ['a domain to act in', { ...user, password: 'pw', domain_id: 'd1' }, {}, { domain: { id: 'd1' } }],
    ['the system to act on', { ...user, password: 'pw', system_scope: 'all' }, {}, { system: { all: true } }],
    ['no scope', { ...user, password: 'pw' }, {}, null],
    ['a token', { token: 't', ...project }, { method: 'token' }, { project: { name: 'service' } }],
    [
      'an application credential by id',
      { application_credential_id: 'c1', application_credential_secret: 's' },
      { method: 'application_credential', id: 'c1' },
      null,
    ],
    [
      'an application credential by name',
      { application_credential_name: 'c', application_credential_secret: 's', ...user },
      { method: 'application_credential', name: 'c', user: { name: 'conductor', domain: { name: 'Default' } } },
      null,
    ],
  ])('with %s', (_title, section, credentials, scope) => {
    expect(authOf({ auth_url: base.auth_url, ...section })).toMatchObject({ credentials, scope });
  });

  it('about endpoints, certificates and time', () => {
    const more = {
      region_name: 'R',
      interface: 'public',
      endpoint_override: 'http://c/v3',
      cafile: '/ca.pem',
      timeout: 5,
    };
    expect(withKeystone.parse({ ...base, ...more })).toMatchObject({
      session: { verifyCa: '/ca.pem', patience: { requestTimeoutMs: 5000, connectTimeoutMs: 5000 } },
      endpoint: { region: 'R', interfaces: ['public'], override: 'http://c/v3' },
    });
    expect(withKeystone.parse({ ...base, insecure: true }).session.verifyCa).toBe(false);
    const { endpoint } = withKeystone.parse({ ...base, valid_interfaces: ['admin', 'internal'] });
    expect(endpoint.interfaces).toEqual(['admin', 'internal']);
  });

  it('without Keystone', () => {
    const endpoint_override = 'http://cinder.example:8776';
    expect(withoutKeystone.parse({ endpoint_override })).toMatchObject({
      session: { auth: { kind: 'none', userId: 'admin', projectId: 'admin' } },
      endpoint: { override: endpoint_override },
    });
    const ids = { user_id: 'u1', project_id: 'p1' };
    expect(withoutKeystone.parse({ endpoint_override, ...ids }).session.auth).toEqual({
      kind: 'none',
      userId: 'u1',
      projectId: 'p1',
    });
  });
});

describe('what is wrong with settings', () => {
  const { auth_url } = base;

  it.each([
    ['nothing is given', {}, ['auth_url: is missing', 'password: is missing']],
    ['the user has no domain', { ...base, user_domain_name: undefined }, ['user_domain_name: is missing']],
    ['the user is missing', { ...base, username: undefined }, ['username: is missing']],
    ['the project has no domain', { ...base, project_domain_name: undefined }, ['project_domain_name: is missing']],
    ['there are two users', { ...base, user_id: 'u' }, ['username: contradicts user_id']],
    ['there are two projects', { ...base, project_id: 'p' }, ['project_name: contradicts project_id']],
    ['there are two domains', { ...base, user_domain_id: 'd' }, ['user_domain_name: contradicts user_domain_id']],
    ['there are two scopes', { ...base, system_scope: 'all' }, ['system_scope: contradicts project_name']],
    ['there are two kinds of credentials', { ...base, token: 't' }, ['token: contradicts password']],
    [
      'an application credential has no secret',
      { ...base, application_credential_id: 'c' },
      ['application_credential_id: needs'],
    ],
    [
      'an application credential has no name',
      { auth_url, application_credential_secret: 's' },
      ['application_credential_id: is missing'],
    ],
    [
      'an application credential has two names',
      {
        auth_url,
        application_credential_secret: 's',
        application_credential_id: 'i',
        application_credential_name: 'n',
      },
      ['application_credential_name: contradicts application_credential_id'],
    ],
    [
      'an application credential has a scope',
      { auth_url, application_credential_secret: 's', application_credential_id: 'i', ...project },
      ['project_name: does not go with an application credential'],
    ],
    ['Keystone is version 2', { ...base, auth_url: 'http://k:5000/v2.0' }, ['auth_url: is of version 2.0']],
    ['a URL is of another protocol', { ...base, auth_url: 'ftp://k' }, ['auth_url: Invalid URL']],
    ['a URL holds credentials', { ...base, auth_url: 'http://u:secret@k:5000' }, ['auth_url: holds credentials']],
    [
      'a URL holds a query',
      { ...base, endpoint_override: 'http://c/v3?x=1' },
      ['endpoint_override: holds credentials'],
    ],
    [
      'certificates are and are not verified',
      { ...base, insecure: true, cafile: '/ca' },
      ['insecure: contradicts cafile'],
    ],
    [
      'interfaces are given twice',
      { ...base, interface: 'public', valid_interfaces: ['internal'] },
      ['interface: says the same as valid_interfaces'],
    ],
  ])('is told when %s', (_title, section, expected) => {
    const problems = problemsOf(section);
    expect(problems).toHaveLength(expected.length);
    expected.forEach((start, index) => expect(problems[index]?.slice(0, start.length)).toBe(start));
  });

  it('is told when there is no Keystone', () => {
    expect(problemsOf({}, withoutKeystone)).toEqual([expect.stringContaining('endpoint_override: is missing')]);
    const section = { endpoint_override: 'http://c', password: 'p' };
    expect(problemsOf(section, withoutKeystone)).toEqual([expect.stringContaining('password: is of no use')]);
  });
});

it('The settings have a JSON schema, without the form that they are kept in', () => {
  expect(z.toJSONSchema(withKeystone, { io: 'input' })).toMatchObject({
    properties: { password: { type: 'string' }, timeout: { default: 60 }, auth_url: { format: 'uri' } },
  });
});

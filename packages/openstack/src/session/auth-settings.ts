import type { Auth, Credentials, Domain, Project, Scope, User } from './session-options.ts';
import type { OpenStackSettings } from './settings.ts';

type Fail = (key: keyof OpenStackSettings, message: string) => void;

const scopeKeys = [
  'project_name',
  'project_id',
  'project_domain_name',
  'project_domain_id',
  'domain_name',
  'domain_id',
  'system_scope',
] as const satisfies readonly (keyof OpenStackSettings)[];

/** @returns undefined when something was reported. */
export function readAuth(section: OpenStackSettings, usesKeystone: boolean, fail: Fail): Auth | undefined {
  if (!usesKeystone) return readAnonymous(section, fail);
  if (section.auth_url === undefined) fail('auth_url', 'is missing: the URL of Keystone');
  const credentials = readCredentials(section, fail);
  const scope = readScope(section, fail);
  if (section.auth_url === undefined || credentials === undefined) return undefined;
  if (credentials.method === 'application_credential') {
    const key = scopeKeys.find((name) => section[name] !== undefined);
    if (key !== undefined) fail(key, 'does not go with an application credential, which has a project of its own');
  }
  return { kind: 'keystone', url: keystoneUrl(section.auth_url, fail), credentials, scope };
}

function readAnonymous(section: OpenStackSettings, fail: Fail): Auth {
  const key = (['password', 'application_credential_secret', 'token'] as const).find(
    (name) => section[name] !== undefined,
  );
  if (key !== undefined) fail(key, 'is of no use without Keystone: remove it, or choose Keystone');
  if (section.endpoint_override === undefined) {
    fail('endpoint_override', 'is missing: without Keystone there is no catalogue that names the service');
  }
  return {
    kind: 'none',
    userId: section.user_id ?? section.username ?? 'admin',
    projectId: section.project_id ?? section.project_name ?? 'admin',
  };
}

function readCredentials(section: OpenStackSettings, fail: Fail): Credentials | undefined {
  const { password, token, application_credential_secret: secret } = section;
  const given = (['password', 'application_credential_secret', 'token'] as const).filter(
    (key) => section[key] !== undefined,
  );
  if (given[1] !== undefined) fail(given[1], `contradicts ${given[0]}: give one of them`);
  if (secret !== undefined) return readApplicationCredential(section, secret, fail);
  for (const key of ['application_credential_id', 'application_credential_name'] as const) {
    if (section[key] !== undefined) fail(key, 'needs application_credential_secret');
  }
  if (token !== undefined) return { method: 'token', token };
  if (password === undefined) {
    fail(
      'password',
      'is missing: give password, application_credential_secret or token, or one of them with _file behind it',
    );
    return undefined;
  }
  const user = readUser(section, fail);
  return user === undefined ? undefined : { method: 'password', user, password };
}

function readApplicationCredential(
  section: OpenStackSettings,
  secret: NonNullable<OpenStackSettings['application_credential_secret']>,
  fail: Fail,
): Credentials | undefined {
  const { application_credential_id: id, application_credential_name: name } = section;
  if (id !== undefined) {
    if (name !== undefined)
      fail('application_credential_name', 'contradicts application_credential_id: give one of them');
    return { method: 'application_credential', id, secret };
  }
  if (name === undefined) {
    fail(
      'application_credential_id',
      'is missing beside application_credential_secret; application_credential_name with a user will do',
    );
    return undefined;
  }
  const user = readUser(section, fail);
  return user === undefined ? undefined : { method: 'application_credential', name, user, secret };
}

function readUser(section: OpenStackSettings, fail: Fail): User | undefined {
  const { username, user_id: id } = section;
  if (id !== undefined) {
    if (username !== undefined) fail('username', 'contradicts user_id: give one of them');
    return { id };
  }
  if (username === undefined) {
    fail('username', 'is missing; user_id will do');
    return undefined;
  }
  const domain = readDomain(section, 'user_domain_id', 'user_domain_name', fail);
  if (domain === undefined) fail('user_domain_name', 'is missing: users have names within a domain, often "Default"');
  return domain === undefined ? undefined : { name: username, domain };
}

function readScope(section: OpenStackSettings, fail: Fail): Scope | null {
  const scopes = [readProject(section, fail), readDomainScope(section, fail), readSystem(section)];
  const given = scopes.filter((scope) => scope !== undefined);
  if (given.length > 1) {
    const keys = scopeKeys.filter((key) => section[key] !== undefined && !key.startsWith('project_domain'));
    fail(
      keys[1] ?? 'system_scope',
      `contradicts ${keys[0]}: a session acts in one project, one domain or on the system`,
    );
  }
  return given[0] ?? null;
}

function readProject(section: OpenStackSettings, fail: Fail): Scope | undefined {
  const { project_name: name, project_id: id } = section;
  if (id !== undefined) {
    if (name !== undefined) fail('project_name', 'contradicts project_id: give one of them');
    return { project: { id } };
  }
  if (name === undefined) return undefined;
  const domain = readDomain(section, 'project_domain_id', 'project_domain_name', fail);
  if (domain === undefined)
    fail('project_domain_name', 'is missing: projects have names within a domain, often "Default"');
  const project: Project | undefined = domain && { name, domain };
  return project && { project };
}

function readDomainScope(section: OpenStackSettings, fail: Fail): Scope | undefined {
  const domain = readDomain(section, 'domain_id', 'domain_name', fail);
  return domain && { domain };
}

function readSystem({ system_scope: scope }: OpenStackSettings): Scope | undefined {
  return scope && { system: { all: true } };
}

function readDomain(
  section: OpenStackSettings,
  idKey: 'user_domain_id' | 'project_domain_id' | 'domain_id',
  nameKey: 'user_domain_name' | 'project_domain_name' | 'domain_name',
  fail: Fail,
): Domain | undefined {
  const { [idKey]: id, [nameKey]: name } = section;
  if (id !== undefined && name !== undefined) fail(nameKey, `contradicts ${idKey}: give one of them`);
  if (id !== undefined) return { id };
  return name === undefined ? undefined : { name };
}

function keystoneUrl(text: string, fail: Fail): string {
  const url = text.replace(/\/+$/, '');
  if (url.endsWith('/v2.0')) fail('auth_url', 'is of version 2.0 of the Identity API: only version 3 is spoken');
  return url.endsWith('/v3') ? url : `${url}/v3`;
}

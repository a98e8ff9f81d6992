import { cinderUser, glanceUser, region, users, type OpenStackUser } from './details.ts';
import { OpenStackSession } from './session.ts';

const accounts: readonly { readonly user: OpenStackUser; readonly roles: readonly string[] }[] = [
  { user: cinderUser, roles: ['admin', 'service'] },
  { user: glanceUser, roles: ['admin', 'service'] },
  { user: users.conductor, roles: ['admin', 'service'] },
  { user: users.demo, roles: ['member'] },
  { user: users.reader, roles: ['reader'] },
];

/** Creates projects, users and the catalogue in a Keystone that has only its administrator. */
export async function seedKeystone(
  authUrl: string,
  endpoints: { readonly cinder: string; readonly glance: string },
): Promise<void> {
  const admin = new OpenStackSession(authUrl, users.admin);
  const create = async (kind: string, body: object): Promise<string> =>
    (await admin.call<Record<string, { id: string }>>('POST', `${authUrl}/${kind}s`, { [kind]: body }))[kind]?.id ?? '';
  const list = await admin.call<{ roles: { id: string; name: string }[] }>('GET', `${authUrl}/roles`);
  const roleIds = new Map(list.roles.map(({ id, name }) => [name, id]));
  for (const name of new Set(accounts.flatMap(({ roles }) => roles))) {
    if (!roleIds.has(name)) roleIds.set(name, await create('role', { name }));
  }
  const projectIds = new Map<string, string>();
  for (const name of new Set(accounts.map(({ user }) => user.project))) {
    projectIds.set(name, await create('project', { name, domain_id: 'default' }));
  }
  for (const { user, roles } of accounts) {
    const { username: name, password, project } = user;
    const userId = await create('user', { name, password, domain_id: 'default' });
    for (const role of roles) {
      const path = `projects/${projectIds.get(project)}/users/${userId}/roles/${roleIds.get(role)}`;
      await admin.call('PUT', `${authUrl}/${path}`);
    }
  }
  const cinder = `${endpoints.cinder}/v3/%(project_id)s`;
  const catalogue = [
    // Clients look for either type.
    { type: 'volumev3', name: 'cinder', url: cinder },
    { type: 'block-storage', name: 'cinder', url: cinder },
    { type: 'image', name: 'glance', url: endpoints.glance },
  ];
  for (const { type, name, url } of catalogue) {
    const serviceId = await create('service', { type, name });
    for (const each of ['public', 'internal', 'admin']) {
      await create('endpoint', { service_id: serviceId, interface: each, url, region_id: region });
    }
  }
}

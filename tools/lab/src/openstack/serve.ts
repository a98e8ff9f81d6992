// Runs Keystone, Cinder and Glance in the foreground until SIGINT or SIGTERM. Argument: where to write the openrc file (default: beside the logs).
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { users, type OpenStackUser } from './details.ts';
import { startOpenStack } from './openstack.ts';

// --yes is for the installation of packages, which is given the same arguments.
const { positionals } = parseArgs({ options: { yes: { type: 'boolean' } }, allowPositionals: true });

const interrupted = new AbortController();
// Not once: execa's own listener would find itself alone then, and end the process.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
const { signal } = interrupted;
try {
  await using written = new AsyncDisposableStack();
  await using openstack = await startOpenStack({ signal, image: true });
  const openrc = resolve(positionals[0] ?? join(openstack.directory, 'openrc'));
  written.defer(() => rm(openrc, { force: true }));
  await writeFile(openrc, variables(openstack.authUrl, openstack.region, users.admin), { mode: 0o600 });
  console.log(`Keystone: ${openstack.authUrl}\nCinder:   ${openstack.blockStorageUrl}`);
  console.log(`Glance:   ${openstack.imageUrl}`);
  console.log(`Logs and volumes: ${openstack.directory}`);
  console.log(`Users: ${Object.values(users).map(describe).join(', ')}`);
  console.log(
    `\nIn another shell: . ${openrc}; openstack volume list\nEnd it with Ctrl-C, or with: kill ${process.pid}`,
  );
  if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
} catch (error) {
  if (!signal.aborted) throw error;
}

function variables(authUrl: string, region: string, { username, password, project }: OpenStackUser): string {
  const values = {
    OS_AUTH_TYPE: 'password',
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_REGION_NAME: region,
    OS_USERNAME: username,
    OS_PASSWORD: password,
    OS_PROJECT_NAME: project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  };
  return Object.entries(values)
    .map(([name, value]) => `export ${name}=${value}\n`)
    .join('');
}

function describe({ username, password, project }: OpenStackUser): string {
  return `${username} / ${password} (project ${project})`;
}

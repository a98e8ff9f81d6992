import type { FastifyInstance } from 'fastify';
import { links } from '../links.ts';
import { introduced } from '../microversion-table.ts';
import { maxVersion, minVersion } from '../microversion.ts';
import { route } from '../route.ts';
import { anyObject } from '../schemas/responses.ts';

/** Resources that the version document leads to, with the version that brought each. */
const resources: Readonly<Record<string, number>> = {
  chassis: 1,
  nodes: 1,
  ports: 1,
  drivers: 1,
  portgroups: introduced.portgroups,
  volume: introduced.volumes,
  lookup: introduced.ramdiskEndpoints,
  heartbeat: introduced.ramdiskEndpoints,
  conductors: introduced.conductors,
  allocations: introduced.allocations,
};

export function registerRoot(app: FastifyInstance): void {
  route(
    app,
    { method: 'GET', url: '/', rule: 'public', summary: 'Versions of the API', responses: { 200: anyObject } },
    (request) => {
      const version = describeVersion(request.base);
      return {
        name: 'OpenStack Ironic API',
        description: 'Bare Metal API of Ironbark, a conductor that boots machines from network volumes.',
        default_version: version,
        versions: [version],
      };
    },
  );
  route(
    app,
    { method: 'GET', url: '/v1', rule: 'public', summary: 'Resources of version 1', responses: { 200: anyObject } },
    ({ base, minor }) => ({
      id: 'v1',
      links: [
        { href: `${base}/v1/`, rel: 'self' },
        {
          href: 'https://docs.openstack.org//ironic/latest/contributor//webapi.html',
          rel: 'describedby',
          type: 'text/html',
        },
      ],
      media_types: { base: 'application/json', type: 'application/vnd.openstack.ironic.v1+json' },
      ...Object.fromEntries(
        Object.entries(resources)
          .filter(([, since]) => minor >= since)
          .map(([name]) => [name, links(base, `${name}/`)]),
      ),
      version: describeVersion(base),
    }),
  );
}

function describeVersion(base: string) {
  return {
    id: 'v1',
    links: [{ href: `${base}/v1/`, rel: 'self' }],
    status: 'CURRENT',
    min_version: minVersion,
    version: maxVersion,
  };
}

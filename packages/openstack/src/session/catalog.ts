import { z } from 'zod';
import type { EndpointOptions } from './session-options.ts';

/** The `catalog` of a token. */
export const catalogSchema = z.array(
  z.object({
    type: z.string(),
    endpoints: z.array(
      z.object({
        interface: z.string(),
        region_id: z.string().nullish(),
        region: z.string().nullish(),
        url: z.string().nullable(),
      }),
    ),
  }),
);

export type Catalog = z.infer<typeof catalogSchema>;

/** Official name of a service type and the older ones that catalogues have: OpenStack Service Types Authority. */
const serviceTypes = {
  'block-storage': ['block-storage', 'volumev3', 'block-store'],
  'object-store': ['object-store'],
  baremetal: ['baremetal', 'bare-metal'],
  identity: ['identity'],
  image: ['image'],
} as const;

export type ServiceType = keyof typeof serviceTypes;

/** @returns undefined when the catalogue has none. What stands for the project in it is as in the catalogue. */
export function findEndpoint(
  catalog: Catalog,
  serviceType: ServiceType,
  { region, interfaces }: Omit<EndpointOptions, 'override'>,
): string | undefined {
  const types: readonly string[] = serviceTypes[serviceType];
  const services = types.flatMap((type) => catalog.filter((service) => service.type === type));
  const endpoints = services.flatMap((service) => service.endpoints).filter(({ url }) => isUsable(url));
  const inRegion = endpoints.filter((endpoint) => region === null || regionOf(endpoint) === region);
  const found = interfaces.flatMap((name) => inRegion.filter((endpoint) => endpoint.interface === name));
  return found[0]?.url ?? undefined;
}

/** What the catalogue has of a service, for a hint: `volumev3 public RegionOne`. Without endpoints: all types. */
export function listEndpoints(catalog: Catalog, serviceType: ServiceType): readonly string[] {
  const types: readonly string[] = serviceTypes[serviceType];
  const own = catalog.filter(({ type }) => types.includes(type));
  const lines = own.flatMap(({ type, endpoints }) =>
    endpoints.map((endpoint) => {
      const fault = isUsable(endpoint.url) ? '' : '(no plain http URL)';
      return [type, endpoint.interface, regionOf(endpoint), fault].filter(Boolean).join(' ');
    }),
  );
  return lines.length > 0 ? lines : catalog.map(({ type }) => type);
}

/** Something to put a path behind, that may be shown. */
export const plainHttpUrl = /^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/i;

function isUsable(url: string | null): url is string {
  return url !== null && plainHttpUrl.test(url) && URL.canParse(url);
}

function regionOf(endpoint: Catalog[number]['endpoints'][number]): string | null | undefined {
  return endpoint.region_id ?? endpoint.region;
}

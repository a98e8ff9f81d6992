import { interfaceKinds, type PropertyDescriptions } from '@ironbark/core';
import type { DriverDescription } from '@ironbark/engine';
import { links } from '../links.ts';
import { driverInterfaceVersions, introduced } from '../microversion-table.ts';
import { absentInterfaces } from './constants.ts';
import type { Selectable, Wire } from './selection.ts';

/** @param withInterfaces whether to show the enabled interfaces too. */
export function renderDriver(driver: DriverDescription, base: string, minor: number, withInterfaces: boolean): Wire {
  const wire: Wire = {
    name: driver.name,
    hosts: driver.hosts,
    links: links(base, `drivers/${driver.name}`),
  };
  if (minor >= introduced.driverPropertyLinks) wire['properties'] = links(base, `drivers/${driver.name}/properties`);
  if (minor < introduced.dynamicDrivers) return wire;
  wire['type'] = 'dynamic';
  if (withInterfaces) addInterfaces(wire, driver, minor);
  return wire;
}

function addInterfaces(wire: Wire, driver: DriverDescription, minor: number): void {
  const add = (kind: string, preferred: string | null, enabled: readonly string[]) => {
    if (minor < (driverInterfaceVersions[kind] ?? introduced.dynamicDrivers)) return;
    wire[`default_${kind}_interface`] = preferred;
    wire[`enabled_${kind}_interfaces`] = enabled;
  };
  for (const kind of interfaceKinds) add(kind, driver.defaults[kind], driver.enabled[kind]);
  for (const [kind, only] of Object.entries(absentInterfaces)) add(kind, only, [only]);
}

const kinds = [...interfaceKinds, ...Object.keys(absentInterfaces)];

export const driverResource: Selectable = {
  fields: new Set([
    'name',
    'hosts',
    'properties',
    'type',
    ...kinds.flatMap((kind) => [`default_${kind}_interface`, `enabled_${kind}_interfaces`]),
  ]),
  summary: ['name', 'hosts', 'properties', 'type'],
  versions: {},
};

export function renderProperties(properties: PropertyDescriptions): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, { description, required = false }]) => [
      name,
      required && !/\brequired\b/i.test(description) ? `${description} Required.` : description,
    ]),
  );
}

import { invalidParameter } from '../errors.ts';
import { isInfo, type Info } from '../info.ts';

/** Capabilities of a node (`properties.capabilities`): names to values, as text. */
export type Capabilities = ReadonlyMap<string, string>;

/**
 * Parses `properties.capabilities`, the text `k:v,k:v` or an object.
 * @throws INVALID_PARAMETER for a pair without a colon, naming the pair.
 */
export function parseCapabilities(properties: Info): Capabilities {
  const value = properties['capabilities'];
  if (value === undefined || value === null || value === '') return new Map();
  if (isInfo(value))
    return new Map(
      Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : JSON.stringify(item)]),
    );
  if (typeof value !== 'string') throw malformed(JSON.stringify(value));
  return new Map(
    value.split(',').map((pair) => {
      const colon = pair.indexOf(':');
      if (colon < 1) throw malformed(pair);
      return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
}

function malformed(pair: string) {
  return invalidParameter(`properties.capabilities holds "${pair}", which is not of the form name:value.`, {
    hint: 'Write capabilities as "name:value,name:value", for example "iscsi_boot:True,boot_mode:uefi".',
  });
}

const truthy = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** Reads a capability as a boolean the way the Bare Metal service does: 1, t, true, on, y, yes in any case are true. */
export function isCapabilitySet(capabilities: Capabilities, name: string): boolean {
  return truthy.has((capabilities.get(name) ?? '').toLowerCase());
}

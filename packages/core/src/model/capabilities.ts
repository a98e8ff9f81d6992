import { invalidParameter } from '../errors.ts';
import { isInfo, type Info } from '../info.ts';

/** Capabilities of a node (`properties.capabilities`) or of its instance (`instance_info.capabilities`): names to values, as text. */
export type Capabilities = ReadonlyMap<string, string>;

/**
 * Parses the key `capabilities` of a record: the text `k:v,k:v`, an object, or an object as JSON text, as Nova sends it.
 * @param holder names the record in errors.
 * @throws INVALID_PARAMETER for a pair without a colon, naming the pair.
 */
export function parseCapabilities(record: Info, holder = 'properties'): Capabilities {
  const value = record['capabilities'];
  if (value === undefined || value === null || value === '') return new Map();
  if (isInfo(value)) return fromObject(value);
  if (typeof value !== 'string') throw malformed(JSON.stringify(value), holder);
  if (value.trimStart().startsWith('{')) return fromJson(value, holder);
  return new Map(
    value.split(',').map((pair) => {
      const colon = pair.indexOf(':');
      if (colon < 1) throw malformed(pair, holder);
      return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
}

function fromObject(value: Info): Capabilities {
  return new Map(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : JSON.stringify(item)]),
  );
}

function fromJson(text: string, holder: string): Capabilities {
  try {
    const value: unknown = JSON.parse(text);
    if (isInfo(value)) return fromObject(value);
  } catch {
    // told below
  }
  throw malformed(text, holder);
}

function malformed(pair: string, holder: string) {
  return invalidParameter(`${holder}.capabilities holds "${pair}", which is not of the form name:value.`, {
    hint: 'Write capabilities as "name:value,name:value", for example "iscsi_boot:True,boot_mode:uefi".',
  });
}

const truthy = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** Reads a capability as a boolean the way the Bare Metal service does: 1, t, true, on, y, yes in any case are true. */
export function isCapabilitySet(capabilities: Capabilities, name: string): boolean {
  return truthy.has((capabilities.get(name) ?? '').toLowerCase());
}

const plainText = /^[\w.-]+$/;

/**
 * The capabilities with one more, as the text that people set, for a command that may be copied.
 * @returns undefined when a name or a value would not be read back, or is something else to a shell.
 */
export function withCapability(capabilities: Capabilities, name: string, value: string): string | undefined {
  const pairs = [...new Map(capabilities).set(name, value)];
  if (!pairs.flat().every((text) => plainText.test(text))) return undefined;
  return pairs.map((pair) => pair.join(':')).join(',');
}

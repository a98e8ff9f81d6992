import { invalidParameter } from '../errors.ts';
import { parseCapabilities } from '../model/capabilities.ts';
import type { Node } from '../model/node.ts';

/** Where an instance boots from, as clients of the Bare Metal API say it in `instance_info.boot_option`. */
export const bootOptions = ['local', 'netboot', 'ramdisk'] as const;
export type BootOption = (typeof bootOptions)[number];

export interface RequestedBootOption {
  readonly option: BootOption;
  /** An order (`instance_info.boot_option`) is obeyed or refused; a preference (a capability) yields to what the node can do. */
  readonly isOrder: boolean;
}

/** Key of `driver_internal_info` that remembers the `boot_option` which was derived: it is no order of the user. */
export const derivedBootOptionKey = 'derived_boot_option';

/**
 * What the records ask for: `instance_info.boot_option`, else the capability `boot_option` of the instance, else of the node; undefined
 * when they say nothing.
 * @throws INVALID_PARAMETER for an option that is none.
 */
export function requestedBootOption(
  node: Pick<Node, 'uuid' | 'properties' | 'instanceInfo' | 'driverInternalInfo'>,
): RequestedBootOption | undefined {
  const ordered = node.instanceInfo['boot_option'] ?? undefined;
  if (ordered !== undefined && ordered !== node.driverInternalInfo[derivedBootOptionKey]) {
    return { option: check(node.uuid, 'instance_info.boot_option', ordered), isOrder: true };
  }
  const preferred =
    parseCapabilities(node.instanceInfo, 'instance_info').get('boot_option') ??
    parseCapabilities(node.properties).get('boot_option');
  if (preferred === undefined) return undefined;
  return { option: check(node.uuid, 'the capability boot_option', preferred), isOrder: false };
}

function check(nodeUuid: string, field: string, value: unknown): BootOption {
  const known = bootOptions.find((option) => option === value);
  if (known !== undefined) return known;
  throw invalidParameter(`${field} of node ${nodeUuid} is ${JSON.stringify(value)}, which is not supported.`, {
    hint: `Use ${bootOptions.map((option) => `"${option}"`).join(', ')}, or remove it.`,
  });
}

import { invalidParameter } from '../errors.ts';
import { parseCapabilities } from '../model/capabilities.ts';
import type { Node } from '../model/node.ts';
import type { BootMode } from '../model/states.ts';

/** What the records ask of the firmware; null: it is left as it is. */
export interface FirmwareRequest {
  readonly bootMode: BootMode | null;
  /** True when the instance asks for Secure Boot, false when it refuses it. */
  readonly secureBoot: boolean | null;
}

interface Statement {
  readonly field: string;
  readonly value: string;
}

/**
 * Resolves the boot mode as the Bare Metal service does: `instance_info.capabilities.boot_mode`, else `instance_info.deploy_boot_mode`,
 * else the node's capability `boot_mode`. Instance and node must agree where both say one. Secure Boot, which the instance asks for in
 * `instance_info.capabilities.secure_boot`, needs UEFI.
 * @throws INVALID_PARAMETER naming the fields that contradict each other, or the value that is none.
 */
export function firmwareRequestOf(node: Pick<Node, 'uuid' | 'properties' | 'instanceInfo'>): FirmwareRequest {
  const instance = parseCapabilities(node.instanceInfo, 'instance_info');
  const own = parseCapabilities(node.properties);
  const wishes = [
    statement('instance_info.capabilities.boot_mode', instance.get('boot_mode')),
    statement('instance_info.deploy_boot_mode', node.instanceInfo['deploy_boot_mode']),
    statement('the capability boot_mode', own.get('boot_mode')),
  ].filter((wish) => wish !== undefined);
  const [first, ...others] = wishes;
  for (const wish of wishes) checkMode(node.uuid, wish);
  const other = others.find(({ value }) => value !== first?.value);
  if (first !== undefined && other !== undefined) throw contradiction(node.uuid, first, other);
  const mode = (first?.value ?? null) as BootMode | null;
  checkBoolean(node.uuid, statement('the capability secure_boot', own.get('secure_boot')));
  const secure = checkBoolean(
    node.uuid,
    statement('instance_info.capabilities.secure_boot', instance.get('secure_boot')),
  );
  if (secure !== true) return { bootMode: mode, secureBoot: secure };
  if (mode === 'bios' && first !== undefined) {
    throw contradiction(node.uuid, first, { field: 'instance_info.capabilities.secure_boot', value: 'true' });
  }
  return { bootMode: 'uefi', secureBoot: true };
}

function statement(field: string, value: unknown): Statement | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return { field, value: (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase() };
}

function checkMode(nodeUuid: string, { field, value }: Statement): void {
  if (value === 'bios' || value === 'uefi') return;
  throw invalidParameter(`${field} of node ${nodeUuid} is ${JSON.stringify(value)}, which is no boot mode.`, {
    hint: 'Use "bios" or "uefi".',
  });
}

function checkBoolean(nodeUuid: string, wish: Statement | undefined): boolean | null {
  if (wish === undefined) return null;
  if (wish.value === 'true' || wish.value === 'false') return wish.value === 'true';
  throw invalidParameter(`${wish.field} of node ${nodeUuid} is ${JSON.stringify(wish.value)}.`, {
    hint: 'Use "true" or "false".',
  });
}

function contradiction(nodeUuid: string, one: Statement, other: Statement) {
  return invalidParameter(
    `Node ${nodeUuid} contradicts itself: ${one.field} is ${one.value}, ${other.field} is ${other.value}.`,
    { hint: 'Remove one of them, or make them agree. Secure Boot needs boot mode uefi.' },
  );
}

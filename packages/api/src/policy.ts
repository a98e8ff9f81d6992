import { IronbarkError } from '@ironbark/core';
import { roles, type Identity, type Role } from './auth/authenticator.ts';

/**
 * The least role that each rule asks for; `public` asks for no authentication at all. Names are the Bare Metal service's where it
 * has one. A role that holds for a project reaches the project's own nodes and what belongs to them; see `ownership.ts`.
 */
export const policy = {
  public: 'public',
  'baremetal:node:list': 'reader',
  'baremetal:node:get': 'reader',
  'baremetal:node:create': 'admin',
  /** Any field. */
  'baremetal:node:update': 'admin',
  /** `extra` and `instance_info` only. */
  'baremetal:node:update_instance_info': 'member',
  /** Beside those `instance_uuid`, with which Nova takes a machine. */
  'baremetal:node:update:instance_uuid': 'service',
  'baremetal:node:delete': 'admin',
  'baremetal:node:validate': 'reader',
  'baremetal:node:get_states': 'reader',
  'baremetal:node:set_power_state': 'member',
  'baremetal:node:set_provision_state': 'member',
  'baremetal:node:set_boot_mode': 'member',
  'baremetal:node:set_secure_boot': 'member',
  'baremetal:node:set_console_state': 'service',
  'baremetal:node:get_console': 'reader',
  'baremetal:node:set_raid_state': 'admin',
  'baremetal:node:get_boot_device': 'reader',
  'baremetal:node:set_boot_device': 'member',
  'baremetal:node:inject_nmi': 'service',
  'baremetal:node:set_maintenance': 'admin',
  'baremetal:node:clear_maintenance': 'admin',
  'baremetal:node:vif:list': 'reader',
  'baremetal:node:vif:attach': 'member',
  'baremetal:node:vif:detach': 'member',
  'baremetal:node:traits:list': 'reader',
  'baremetal:node:traits:set': 'admin',
  'baremetal:node:traits:delete': 'admin',
  'baremetal:node:vendor_passthru': 'admin',
  'baremetal:node:history:get': 'reader',
  'baremetal:port:list': 'reader',
  'baremetal:port:get': 'reader',
  'baremetal:port:create': 'admin',
  'baremetal:port:update': 'admin',
  'baremetal:port:delete': 'admin',
  'baremetal:portgroup:list': 'reader',
  'baremetal:portgroup:get': 'reader',
  'baremetal:chassis:list': 'reader',
  'baremetal:chassis:get': 'reader',
  'baremetal:chassis:create': 'admin',
  'baremetal:chassis:update': 'admin',
  'baremetal:chassis:delete': 'admin',
  'baremetal:driver:get': 'reader',
  'baremetal:driver:get_properties': 'reader',
  'baremetal:driver:vendor_passthru': 'admin',
  'baremetal:conductor:get': 'reader',
  'baremetal:allocation:list': 'reader',
  'baremetal:allocation:get': 'reader',
  'baremetal:volume:list': 'reader',
  'baremetal:volume:get': 'reader',
  'baremetal:volume:create': 'service',
  'baremetal:volume:update': 'service',
  'baremetal:volume:delete': 'service',
  'ironbark:operation:list': 'reader',
  'ironbark:operation:get': 'reader',
  'ironbark:event:list': 'reader',
  'ironbark:plan:get': 'reader',
  'ironbark:health:get': 'reader',
  'ironbark:metrics:get': 'reader',
} as const satisfies Readonly<Record<string, Role | 'public'>>;

export type Rule = keyof typeof policy;

/** Rules about what belongs to no project, or reaches further than one: a role that holds for a project is not enough. */
export const systemRules: readonly Rule[] = [
  'baremetal:chassis:list',
  'baremetal:chassis:get',
  'baremetal:chassis:create',
  'baremetal:chassis:update',
  'baremetal:chassis:delete',
  'baremetal:conductor:get',
  'baremetal:driver:vendor_passthru',
  'baremetal:node:vendor_passthru',
  'ironbark:plan:get',
  'ironbark:metrics:get',
];

export function isPublic(rule: Rule): boolean {
  return policy[rule] === 'public';
}

/** @throws FORBIDDEN when none of the identity's roles reaches the rule. */
export function authorize(identity: Identity, rule: Rule): void {
  const least = policy[rule];
  if (least === 'public') return;
  const isForSystem = systemRules.includes(rule);
  if (hasRole(identity, least) && (identity.system || !isForSystem)) return;
  throw forbidden(rule, `It needs the role ${least}${isForSystem ? ' for the whole system' : ''}.`);
}

export function forbidden(resource: string, hint: string): IronbarkError {
  return new IronbarkError('FORBIDDEN', `Access was denied to the following resource: ${resource}`, { hint });
}

export function hasRole(identity: Identity, least: Role): boolean {
  const rank = roles.indexOf(least);
  return identity.roles.some((role) => roles.indexOf(role) >= rank);
}

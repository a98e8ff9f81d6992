import {
  invalidParameter,
  isInfo,
  type InfoValue,
  type IronbarkError,
  type Node,
  type PropertyDescriptions,
} from '@ironbark/core';
import { maxDelayMs } from './settings.ts';

/** Steps of the fake interfaces: each can be delayed and made to fail. */
export const fakeSteps = [
  'power.validate',
  'power.get_power_state',
  'power.on',
  'power.off',
  'power.reboot',
  'power.soft_off',
  'power.soft_reboot',
  'management.validate',
  'management.get_boot_device',
  'management.set_boot_device',
  'management.get_boot_mode',
  'management.set_boot_mode',
  'management.set_http_boot_url',
  'management.get_secure_boot',
  'management.set_secure_boot',
  'boot.validate',
  'boot.apply',
  'boot.clean_up',
  'deploy.validate',
  'deploy.deploy',
  'deploy.clean_up',
] as const;
export type FakeStep = (typeof fakeSteps)[number];

/** Keys of `driver_info` that all fake interfaces read. */
export const fakeProperties: PropertyDescriptions = {
  fake_delay_ms: {
    description:
      'How long steps take, in milliseconds: a number for all that change something, or an object {step: number}. ' +
      'Default: settings.fake.delay_ms.',
  },
  fake_fail: {
    description:
      'Steps that fail, as a list or as text with commas: names such as "power.on", or "power" for all steps of ' +
      `the interface. Steps: ${fakeSteps.join(', ')}.`,
  },
  fake_ignored_actions: {
    description:
      '"soft": the operating system does not react to soft power actions; "all": the BMC accepts every power action and ' +
      'setting, and nothing happens. Default: "none".',
  },
  fake_unreachable: { description: 'Whether the BMC does not answer, true or false. Default: false.' },
};

/** How the fake machine of a node behaves. */
export interface NodeOptions {
  /** Undefined where the node says nothing about the step. */
  delayMs(step: FakeStep): number | undefined;
  fails(step: FakeStep): boolean;
  readonly ignoredActions: 'none' | 'soft' | 'all';
  readonly isUnreachable: boolean;
}

/** @throws INVALID_PARAMETER naming the key of `driver_info`. */
export function nodeOptions(node: Node): NodeOptions {
  const { driverInfo } = node;
  const delays = delaysOf(node, driverInfo['fake_delay_ms']);
  const failing = failingOf(node, driverInfo['fake_fail']);
  return {
    delayMs: (step) => delays.get(step) ?? (isReading(step) ? undefined : delays.get('*')),
    fails: (step) => failing.includes(step) || failing.includes(interfaceOf(step)),
    ignoredActions: ignoredActionsOf(node, driverInfo['fake_ignored_actions']),
    isUnreachable: isTrue(node, 'fake_unreachable', driverInfo['fake_unreachable']),
  };
}

/** Steps that change nothing take no time, unless they are named. */
export function isReading(step: FakeStep): boolean {
  return step.endsWith('.validate') || step.includes('.get_');
}

function interfaceOf(step: FakeStep): string {
  return step.slice(0, step.indexOf('.'));
}

function delaysOf(node: Node, value: InfoValue | undefined): ReadonlyMap<string, number> {
  if (value === undefined || value === null) return new Map();
  if (!isInfo(value)) return new Map([['*', delayOf(node, value)]]);
  const unknown = Object.keys(value).find((name) => !fakeSteps.some((step) => step === name));
  if (unknown !== undefined) throw unknownStep(node, 'fake_delay_ms', unknown);
  return new Map(Object.entries(value).map(([step, delay]) => [step, delayOf(node, delay)]));
}

function delayOf(node: Node, value: InfoValue): number {
  const delay = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof delay === 'number' && Number.isInteger(delay) && delay >= 0 && delay <= maxDelayMs) return delay;
  throw fault(node, 'fake_delay_ms', 'is no number of milliseconds', `Give a whole number from 0 to ${maxDelayMs}.`);
}

function failingOf(node: Node, value: InfoValue | undefined): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value;
  if (!Array.isArray(names)) throw fault(node, 'fake_fail', 'is no list', 'Give a list of names of steps.');
  const known = new Set<unknown>(fakeSteps.flatMap((step) => [step, interfaceOf(step)]));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw unknownStep(node, 'fake_fail', String(unknown));
  return names.map(String);
}

function ignoredActionsOf(node: Node, value: InfoValue | undefined): NodeOptions['ignoredActions'] {
  if (value === undefined || value === null) return 'none';
  if (value === 'none' || value === 'soft' || value === 'all') return value;
  throw fault(node, 'fake_ignored_actions', 'is not known', 'Give "none", "soft" or "all".');
}

function isTrue(node: Node, key: string, value: InfoValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw fault(node, key, 'is neither true nor false', 'Give true or false.');
}

function unknownStep(node: Node, key: string, name: string): IronbarkError {
  return fault(
    node,
    key,
    `names step ${JSON.stringify(name)}, which does not exist`,
    `Steps: ${fakeSteps.join(', ')}.`,
  );
}

function fault(node: Node, key: string, problem: string, hint: string): IronbarkError {
  return invalidParameter(`driver_info/${key} of node ${node.uuid} ${problem}.`, { hint });
}

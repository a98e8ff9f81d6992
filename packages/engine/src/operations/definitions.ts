import { endsPoweredOn, type Node, type PowerTarget, type ProvisionState } from '@ironbark/core';
import type { ProvisionVerb } from '../state-machine.ts';
import type { StepName } from './steps.ts';

/** How a provision verb is carried out. */
export interface ProvisionDefinition {
  readonly steps: readonly StepName[];
  /** State of the node when all steps have succeeded. */
  readonly success: ProvisionState;
  /** Whether the steps that were begun are taken back when one fails. */
  readonly compensates: boolean;
}

const deploySteps: readonly StepName[] = [
  'power.off',
  'management.sync_firmware',
  'storage.attach',
  'deploy.deploy',
  'boot.prepare',
  'management.set_boot_device',
  'network.configure',
  'power.on',
];

/** Verbs that need work of their own. The others only change the state, or are refused. */
export const provisionDefinitions: Partial<Readonly<Record<ProvisionVerb, ProvisionDefinition>>> = {
  manage: { steps: ['power.verify'], success: 'manageable', compensates: false },
  provide: { steps: ['cleaning.run'], success: 'available', compensates: false },
  clean: { steps: ['cleaning.run'], success: 'manageable', compensates: false },
  // A machine that is adopted runs from its volumes: they are not taken away from it when something fails.
  adopt: { steps: ['power.verify', 'storage.attach', 'boot.prepare'], success: 'active', compensates: false },
  deploy: { steps: deploySteps, success: 'active', compensates: true },
  rebuild: { steps: deploySteps, success: 'active', compensates: true },
  undeploy: {
    steps: [
      'boot.clean_up',
      'power.off',
      'storage.detach',
      'storage.purge_targets',
      'deploy.clean_up',
      'network.remove',
      'instance.forget',
      'cleaning.begin',
      'cleaning.run',
    ],
    success: 'available',
    compensates: false,
  },
};

const powerSteps: Readonly<Record<PowerTarget, StepName>> = {
  'power on': 'power.on',
  'power off': 'power.off',
  rebooting: 'power.reboot',
  'soft power off': 'power.soft_off',
  'soft rebooting': 'power.soft_reboot',
};

/**
 * Steps of a power action. An active node gets its volumes before it runs, with the boot configuration rendered from the connections as
 * they are then, and gives them back once it is off; unless its storage keeps them attached.
 */
export function powerStepsOf(
  { provisionState }: Node,
  target: PowerTarget,
  followsPower: boolean,
): readonly StepName[] {
  const action = powerSteps[target];
  if (provisionState !== 'active') return [action];
  if (!endsPoweredOn(target)) return ['power.check', action, ...(followsPower ? (['storage.detach'] as const) : [])];
  return ['power.check', followsPower ? 'storage.attach' : 'storage.attach_missing', 'boot.prepare', action];
}

/** Operations that nobody asked for: the power of an active machine has changed by itself, and its volumes follow. */
export const followUpSteps = {
  attach: ['power.confirm', 'storage.attach', 'boot.prepare'],
  detach: ['power.confirm', 'storage.detach'],
} as const satisfies Readonly<Record<string, readonly StepName[]>>;
export type FollowUpVerb = keyof typeof followUpSteps;

/** What every operation is one of. */
export const operationVerbs = [provisionDefinitions, powerSteps, followUpSteps].flatMap((verbs) => Object.keys(verbs));

export function isFollowUpVerb(verb: string): verb is FollowUpVerb {
  return Object.hasOwn(followUpSteps, verb);
}

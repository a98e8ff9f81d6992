import type { Node, PowerTarget, ProvisionState } from '@ironbark/core';
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
 * Steps of a power action. An active node gets its volumes before it runs, with the boot configuration rendered from the
 * connections as they are then, and gives them back once it is off.
 */
export function powerStepsOf(node: Node, target: PowerTarget): readonly StepName[] {
  const action = powerSteps[target];
  if (node.provisionState !== 'active') return ['power.check', action];
  if (target === 'power off' || target === 'soft power off') return ['power.check', action, 'storage.detach'];
  return ['power.check', 'storage.attach', 'boot.prepare', action];
}

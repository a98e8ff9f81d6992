import {
  endsPoweredOn,
  IronbarkError,
  type PowerInterface,
  type PowerState,
  type PowerTarget,
  type Task,
} from '@ironbark/core';
import type { FakeMachines } from './fake-machines.ts';
import { fakeProperties, type FakeStep } from './node-options.ts';
import type { StepRunner } from './step-runner.ts';

const steps: Readonly<Record<PowerTarget, FakeStep>> = {
  'power on': 'power.on',
  'power off': 'power.off',
  rebooting: 'power.reboot',
  'soft power off': 'power.soft_off',
  'soft rebooting': 'power.soft_reboot',
};

/** Power of a machine that does not exist. */
export class FakePower implements PowerInterface {
  readonly properties = fakeProperties;
  readonly #machines: FakeMachines;
  readonly #steps: StepRunner;

  constructor(machines: FakeMachines, runner: StepRunner) {
    this.#machines = machines;
    this.#steps = runner;
  }

  async validate(task: Task): Promise<void> {
    await Promise.resolve();
    this.#steps.validate(task, 'power.validate');
  }

  async getPowerState(task: Task): Promise<PowerState> {
    await this.#steps.begin(task, 'power.get_power_state');
    return (await this.#machines.read(task.node)).powerState;
  }

  async setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    const { powerState, boots } = await this.#machines.read(task.node);
    const isThere = target === powerState || (target === 'soft power off' && powerState === 'power off');
    const { options, inTime } = await this.#steps.begin(task, steps[target], isThere ? 0 : timeoutMs);
    if (isThere) return;
    const isSoft = target.startsWith('soft') && powerState === 'power on';
    if (options.ignoredActions === 'all' || (options.ignoredActions === 'soft' && isSoft)) {
      await this.#steps.wait(task, timeoutMs);
      throw notReached(task, target, timeoutMs);
    }
    if (!inTime) throw notReached(task, target, timeoutMs);
    const change = endsPoweredOn(target)
      ? ({ powerState: 'power on', boots: boots + 1 } as const)
      : ({ powerState: 'power off' } as const);
    await this.#machines.change(task.node, change);
  }
}

function notReached(task: Task, target: PowerTarget, timeoutMs: number): IronbarkError {
  return new IronbarkError(
    'POWER_STATE_FAILURE',
    `The fake machine of node ${task.node.uuid} did not carry out "${target}" within ${timeoutMs} ms.`,
    { hint: 'Raise the time limit, or change driver_info/fake_delay_ms or fake_ignored_actions.' },
  );
}

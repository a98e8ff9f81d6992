import type { Task } from '@ironbark/core';
import { createTask, SteppedClock } from '@ironbark/driver-testkit/fakes';
import type { Clock } from '../src/clock.ts';
import { FakeBoot } from '../src/fake-boot.ts';
import { FakeDeploy } from '../src/fake-deploy.ts';
import { FakeMachines } from '../src/fake-machines.ts';
import { FakeManagement } from '../src/fake-management.ts';
import { FakePower } from '../src/fake-power.ts';
import type { MachineStates } from '../src/machine.ts';
import { MemoryStates } from '../src/memory-states.ts';
import { fakeSettings, type FakeSettings } from '../src/settings.ts';
import { StepRunner } from '../src/step-runner.ts';

/** The fake interfaces on machines of their own, with a clock that runs by itself. */
export function createFakes(
  settings: Partial<FakeSettings> = {},
  states: MachineStates = new MemoryStates(),
  clock: Clock = new SteppedClock({ freeRunning: true }),
) {
  const machines = new FakeMachines(states);
  const runner = new StepRunner({ ...fakeSettings.parse({}), ...settings }, clock);
  return {
    machines,
    power: new FakePower(machines, runner),
    management: new FakeManagement(machines, runner),
    boot: new FakeBoot(runner),
    deploy: new FakeDeploy(runner),
  };
}

/** A task on a node with this `driver_info`. */
export function taskWith(driverInfo: Task['node']['driverInfo']): Task {
  const task = createTask();
  return { ...task, node: { ...task.node, driverInfo } };
}

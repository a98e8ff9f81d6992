import { IronbarkError, type PowerState, type PowerTarget, type Task } from '@ironbark/core';
import { describe } from 'vitest';
import { createNode, MemoryPower, type MemoryMachines } from '../src/fakes.ts';
import { describePowerDriver } from '../src/power.ts';
import { itFindsMutants } from './mutants.ts';
import { powerHarness } from './reference-harnesses.ts';

const forever = new AbortController().signal;

function mutate(make: (machines: MemoryMachines) => MemoryPower) {
  return powerHarness(make);
}

class RemembersState extends MemoryPower {
  readonly #states = new Map<string, PowerState>();
  override async getPowerState(task: Task): Promise<PowerState> {
    return this.#states.get(task.node.uuid) ?? (await super.getPowerState(task));
  }
  override async setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    await super.setPowerState(task, target, timeoutMs);
    this.#states.set(task.node.uuid, this.machines.of(task.node).powerState);
  }
}

class IgnoresAbort extends MemoryPower {
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    return super.setPowerState({ ...task, signal: forever }, target, timeoutMs);
  }
}

class WaitsInSpiteOfAbort extends MemoryPower {
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    task.signal.throwIfAborted();
    return super.setPowerState({ ...task, signal: forever }, target, timeoutMs);
  }
}

class RestartsRunningMachine extends MemoryPower {
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    return super.setPowerState(task, target === 'power on' ? 'rebooting' : target, timeoutMs);
  }
}

class AcceptsUndeclaredTargets extends MemoryPower {
  readonly supportedTargets = ['power on', 'power off'] as const;
}

class SwitchesHard extends MemoryPower {
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    const hard = { 'soft power off': 'power off', 'soft rebooting': 'rebooting' } as const;
    return super.setPowerState(task, target in hard ? hard[target as keyof typeof hard] : target, timeoutMs);
  }
}

class DoesNotCheck extends MemoryPower {
  override async setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    await super.setPowerState(task, target, timeoutMs).catch((error: unknown) => {
      if (!(error instanceof IronbarkError) || error.code !== 'POWER_STATE_FAILURE') throw error;
    });
  }
}

class MixesNodes extends MemoryPower {
  #first: Task['node'] | undefined;
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    this.#first ??= task.node;
    return super.setPowerState({ ...task, node: this.#first }, target, timeoutMs);
  }
}

class DoesNotRestart extends MemoryPower {
  override setPowerState(task: Task, target: PowerTarget, timeoutMs: number): Promise<void> {
    return super.setPowerState(task, target === 'rebooting' ? 'power on' : target, timeoutMs);
  }
}

class HidesUnreachableBmc extends MemoryPower {
  override async getPowerState(task: Task): Promise<PowerState> {
    return await super.getPowerState(task).catch((error: unknown) => {
      task.signal.throwIfAborted();
      throw new Error('no answer', { cause: error });
    });
  }
}

class SwitchesWhenValidating extends MemoryPower {
  override async validate(): Promise<void> {
    this.machines.of(createNode()).boots += 1;
    await Promise.resolve();
  }
}

describe('the power suite', () => {
  itFindsMutants(describePowerDriver, [
    {
      fault: 'answers from its memory',
      failsIn: 'reading the power state > asks the machine, not its own memory',
      harness: mutate((machines) => new RemembersState(machines)),
    },
    {
      fault: 'ignores an aborted signal',
      failsIn: 'abort > does not begin "power on" when its signal is aborted',
      harness: mutate((machines) => new IgnoresAbort(machines)),
    },
    {
      fault: 'waits on after an abort',
      failsIn: 'abort > stops waiting for the operating system when its signal is aborted',
      harness: mutate((machines) => new WaitsInSpiteOfAbort(machines)),
    },
    {
      fault: 'restarts a machine that is on already',
      failsIn:
        'power actions > "power on" from "power on" ends as the action says, or is refused when it is not declared',
      harness: mutate((machines) => new RestartsRunningMachine(machines)),
    },
    {
      fault: 'carries out targets that it does not declare',
      failsIn:
        'power actions > "rebooting" from "power on" ends as the action says, or is refused when it is not declared',
      harness: mutate((machines) => new AcceptsUndeclaredTargets(machines)),
    },
    {
      fault: 'makes a soft action a hard one',
      failsIn: 'time limits > gives "soft power off" up when the operating system does not react in time',
      harness: mutate((machines) => new SwitchesHard(machines)),
    },
    {
      fault: 'does not check that the state was reached',
      failsIn: 'time limits > reports that "power on" was not reached',
      harness: mutate((machines) => new DoesNotCheck(machines)),
    },
    {
      fault: 'mixes two nodes',
      failsIn: 'power actions > keeps two machines apart that change at the same time',
      harness: mutate((machines) => new MixesNodes(machines)),
    },
    {
      fault: 'leaves a machine running that it should restart',
      failsIn:
        'power actions > "rebooting" from "power on" ends as the action says, or is refused when it is not declared',
      harness: mutate((machines) => new DoesNotRestart(machines)),
    },
    {
      fault: 'fails without a code when the BMC does not answer',
      failsIn: 'a BMC that is unreachable > says that the BMC does not answer when it is asked for the power state',
      harness: mutate((machines) => new HidesUnreachableBmc(machines)),
    },
    {
      fault: 'touches the machine when it validates',
      failsIn: 'records and self-description > validates good records and touches nothing',
      harness: mutate((machines) => new SwitchesWhenValidating(machines)),
    },
  ]);
});

import { IronbarkError, type PowerTarget } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { setUpRedfish, taskWith } from './support/drivers.ts';
import { FakeMachine, systemPath } from './support/fake-machine.ts';

async function change(machine: FakeMachine, target: PowerTarget, timeoutMs = 2000): Promise<void> {
  await using redfish = await setUpRedfish();
  const task = taskWith({ redfish_address: machine.address, redfish_system_id: systemPath });
  await redfish.driver('power', 'redfish').setPowerState(task, target, timeoutMs);
}

/** Lets each reset have its effect at once. */
function obey(machine: FakeMachine): void {
  machine.onReset = (resetType) => {
    machine.powerState = ['ForceOff', 'GracefulShutdown'].includes(resetType) ? 'Off' : 'On';
    return 204;
  };
}

describe('the power state', () => {
  it.each([
    ['On', 'power on'],
    ['Off', 'power off'],
    ['PoweringOn', 'power on'],
    ['PoweringOff', 'power on'],
    ['Paused', 'power on'],
    [null, 'error'],
  ])('%s of the BMC is "%s"', async (powerState, expected) => {
    await using machine = await FakeMachine.start();
    machine.powerState = powerState;
    await using redfish = await setUpRedfish();
    const task = taskWith({ redfish_address: machine.address });
    expect(await redfish.driver('power', 'redfish').getPowerState(task)).toBe(expected);
  });
});

describe('power actions', () => {
  it.each<readonly [PowerTarget, string, readonly string[]]>([
    ['power on', 'Off', ['On']],
    ['power on', 'On', []],
    ['power off', 'On', ['ForceOff']],
    ['power off', 'Off', []],
    ['rebooting', 'On', ['ForceOff', 'On']],
    ['rebooting', 'Off', ['On']],
    ['soft power off', 'On', ['GracefulShutdown']],
    ['soft rebooting', 'On', ['GracefulShutdown', 'On']],
  ])('%s from %s makes the resets %j', async (target, powerState, resets) => {
    await using machine = await FakeMachine.start();
    machine.powerState = powerState;
    obey(machine);
    await change(machine, target);
    expect(machine.resets).toEqual(resets);
  });

  it('press the power button where the BMC has no graceful shutdown', async () => {
    await using machine = await FakeMachine.start({ allowedResets: ['On', 'ForceOff', 'PushPowerButton'] });
    machine.powerState = 'On';
    machine.onReset = () => {
      machine.powerState = 'Off';
      return 204;
    };
    await change(machine, 'soft power off');
    expect(machine.resets).toEqual(['PushPowerButton']);
  });

  it('wait until the state is reached, through what lies between', async () => {
    await using machine = await FakeMachine.start();
    const states = ['Off', 'Off', 'PoweringOn', 'PoweringOn', 'On'];
    machine.onLook = (nth) => {
      machine.powerState = states[nth - 1] ?? 'On';
    };
    await change(machine, 'power on');
    expect(machine.looks).toBe(5);
    expect(machine.resets).toEqual(['On']);
  });

  it.each<readonly [PowerTarget, string]>([
    ['power on', 'PoweringOn'],
    ['soft power off', 'PoweringOff'],
  ])('"%s" requests nothing while the machine is %s already', async (target, powerState) => {
    await using machine = await FakeMachine.start();
    machine.powerState = powerState;
    machine.onLook = (nth) => {
      if (nth === 3) machine.powerState = powerState.slice('Powering'.length);
    };
    await change(machine, target);
    expect(machine.resets).toEqual([]);
  });

  it('switch a machine off that does not get done with shutting down', async () => {
    await using machine = await FakeMachine.start();
    machine.powerState = 'PoweringOff';
    obey(machine);
    await change(machine, 'power off');
    expect(machine.resets).toEqual(['ForceOff']);
  });

  it('wait for a machine that is going down before they switch it on', async () => {
    await using machine = await FakeMachine.start();
    machine.powerState = 'PoweringOff';
    machine.onLook = (nth) => {
      if (nth === 4) machine.powerState = 'Off';
    };
    let looksBefore = 0;
    machine.onReset = () => {
      looksBefore = machine.looks;
      machine.powerState = 'On';
      return 204;
    };
    await change(machine, 'power on');
    expect(looksBefore).toBeGreaterThanOrEqual(4);
  });
});

describe('power actions that the BMC does not take', () => {
  it.each([503, 409, 'drop'] as const)('are requested again (%s)', async (fault) => {
    await using machine = await FakeMachine.start();
    machine.onReset = (_resetType, nth) => {
      if (nth < 3) return fault;
      machine.powerState = 'On';
      return 204;
    };
    await change(machine, 'power on');
    expect(machine.resets).toEqual(['On', 'On', 'On']);
  });

  it('are requested as often as the settings say', async () => {
    await using machine = await FakeMachine.start();
    machine.onReset = () => 503;
    await expect(change(machine, 'power on')).rejects.toMatchObject({ code: 'BMC_FAILURE' });
    expect(machine.resets).toHaveLength(3);
  });

  it.each([400, 'drop'] as const)('are no failure when the machine is where it should be (%s)', async (answer) => {
    await using machine = await FakeMachine.start();
    machine.onReset = () => {
      machine.powerState = 'On';
      return answer;
    };
    await change(machine, 'power on');
    expect(machine.resets).toEqual(['On']);
  });

  it('and never will, fail at once', async () => {
    await using machine = await FakeMachine.start();
    machine.onReset = () => 400;
    await expect(change(machine, 'power on')).rejects.toMatchObject({ code: 'BMC_FAILURE' });
    expect(machine.resets).toHaveLength(1);
  });

  it('fail with what the BMC offers instead', async () => {
    await using machine = await FakeMachine.start({ allowedResets: ['On', 'ForceOff'] });
    machine.powerState = 'On';
    await expect(change(machine, 'soft power off')).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
      hint: 'It offers: On, ForceOff.',
    });
  });

  it('have their effect although the BMC is away for a while', async () => {
    await using machine = await FakeMachine.start();
    obey(machine);
    machine.onLook = (nth) => {
      machine.lookStatus = nth > 2 && nth < 8 ? 503 : 200;
    };
    await change(machine, 'power on');
    expect(machine.resets).toEqual(['On']);
  });
});

describe('a power action that has no effect', () => {
  it.each<readonly [PowerTarget, string, string]>([
    ['soft power off', 'On', 'operating system'],
    ['soft rebooting', 'On', 'operating system'],
    ['power on', 'Off', 'console'],
  ])('%s ends with the time limit', async (target, powerState, hint) => {
    await using machine = await FakeMachine.start();
    machine.powerState = powerState;
    await expect(change(machine, target, 300)).rejects.toMatchObject({
      code: 'POWER_STATE_FAILURE',
      message: expect.stringContaining(`within 0.3 s of "${target}"`),
      hint: expect.stringContaining(hint),
    });
    expect(machine.resets).toHaveLength(1);
  });

  it('ends with the abort of its task', async () => {
    await using machine = await FakeMachine.start();
    machine.powerState = 'On';
    await using redfish = await setUpRedfish();
    const controller = new AbortController();
    const task = taskWith({ redfish_address: machine.address }, { signal: controller.signal });
    const call = redfish.driver('power', 'redfish').setPowerState(task, 'soft power off', 60_000);
    await expect.poll(() => machine.resets).toEqual(['GracefulShutdown']);
    const reason = new IronbarkError('LOCK_LOST', 'Gone.');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

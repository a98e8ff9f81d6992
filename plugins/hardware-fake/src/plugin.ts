import { definePlugin, type HardwareType } from '@ironbark/core';
import { systemClock } from './clock.ts';
import { DirectoryStates } from './directory-states.ts';
import { FakeBoot } from './fake-boot.ts';
import { FakeDeploy } from './fake-deploy.ts';
import { FakeMachines } from './fake-machines.ts';
import { FakeManagement } from './fake-management.ts';
import { FakePower } from './fake-power.ts';
import { MemoryStates } from './memory-states.ts';
import { fakeSettings } from './settings.ts';
import { StepRunner } from './step-runner.ts';

/** Any boot, storage, deploy and network interface fits; these come first. */
const fakeHardware: HardwareType = {
  interfaces: {
    power: ['fake'],
    management: ['fake'],
    boot: ['fake'],
    deploy: ['fake'],
    storage: ['noop'],
  },
};

export const plugin = definePlugin({
  section: 'fake',
  config: fakeSettings,
  setup({ config, hardware, power, management, boot, deploy }) {
    const { state_directory: directory } = config;
    const machines = new FakeMachines(directory === undefined ? new MemoryStates() : new DirectoryStates(directory));
    const runner = new StepRunner(config, systemClock);
    hardware.register('fake-hardware', fakeHardware);
    power.register('fake', new FakePower(machines, runner));
    management.register('fake', new FakeManagement(machines, runner));
    boot.register('fake', new FakeBoot(runner));
    deploy.register('fake', new FakeDeploy(runner));
  },
});

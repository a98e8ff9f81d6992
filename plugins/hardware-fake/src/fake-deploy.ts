import type { DeployInterface, Task } from '@ironbark/core';
import { fakeProperties } from './node-options.ts';
import type { StepRunner } from './step-runner.ts';

/** Deployment to a machine that does not exist: it takes its time, and may fail. */
export class FakeDeploy implements DeployInterface {
  readonly properties = fakeProperties;
  readonly #steps: StepRunner;

  constructor(runner: StepRunner) {
    this.#steps = runner;
  }

  async validate(task: Task): Promise<void> {
    await Promise.resolve();
    this.#steps.validate(task, 'deploy.validate');
  }

  async deploy(task: Task): Promise<void> {
    await this.#steps.begin(task, 'deploy.deploy');
  }

  async cleanUp(task: Task): Promise<void> {
    await this.#steps.begin(task, 'deploy.clean_up');
  }
}

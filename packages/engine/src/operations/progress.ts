import { timestamp } from '@ironbark/core';
import type { Operation, Step } from '@ironbark/store';
import { powerTargetOf, stepDefinitions, type StepName } from './steps.ts';

/** How a step ended; `finish` skips the steps after it. */
export type StepResult =
  | { readonly kind: 'next' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'failed'; readonly message: string };

/** A step as it is stored before it runs. */
export function pendingStep(name: string, compensation: boolean): Step {
  return { name, state: 'pending', compensation, attempts: 0, startedAt: null, finishedAt: null, error: null };
}

/** Position of the step to run: the one that a crash interrupted, or the first that has not begun; -1 when all have ended. */
export function currentStepIndex({ steps }: Pick<Operation, 'steps'>): number {
  return steps.findIndex(({ state }) => state === 'pending' || state === 'running');
}

/** The steps with the current one marked as running. */
export function beginStep(steps: readonly Step[], index: number): readonly Step[] {
  const step = steps[index];
  if (step === undefined) return steps;
  return steps.with(index, {
    ...step,
    state: 'running',
    attempts: step.attempts + 1,
    startedAt: step.startedAt ?? timestamp(),
  });
}

/** The operation after one of its steps has ended. Pure, but for the time. */
export function endStep(
  operation: Operation,
  index: number,
  result: StepResult,
): Pick<Operation, 'steps' | 'state' | 'error'> {
  const { steps, state, error } = operation;
  const step = steps[index];
  if (step === undefined) return { steps, state, error };
  const finishedAt = timestamp();
  if (result.kind !== 'failed') {
    const done = steps.with(index, { ...step, state: 'succeeded', finishedAt });
    return { steps: result.kind === 'next' ? done : done.map(skipPending), state, error };
  }
  const failed = steps.with(index, { ...step, state: 'failed', finishedAt, error: result.message });
  if (step.compensation) {
    // A machine that may still run keeps its volumes: taking them away would damage their contents.
    const keepsVolumes = step.name === 'power.off';
    return {
      steps: keepsVolumes
        ? failed.map((other) => (other.name === 'storage.detach' ? skipPending(other) : other))
        : failed,
      state,
      error,
    };
  }
  if (isTolerated(operation, step)) return { steps: failed, state, error };
  const rest = [...failed.map(skipPending), ...compensations(operation, index)];
  return { steps: rest, state: 'compensating', error: `Step ${step.name} failed: ${result.message}` };
}

function skipPending(step: Step): Step {
  return step.state === 'pending' ? { ...step, state: 'skipped' } : step;
}

/** An active machine that is off is off, also when a volume could not be released: the next power action tries again. */
function isTolerated(operation: Operation, step: Step): boolean {
  return powerTargetOf(operation.verb) !== undefined && step.name === 'storage.detach';
}

/** What takes back the steps up to the failed one, the last first. */
function compensations(operation: Operation, failedIndex: number): readonly Step[] {
  if (operation.verb !== 'deploy' && operation.verb !== 'rebuild') return [];
  const begun = operation.steps.slice(0, failedIndex + 1).toReversed();
  const names = begun.flatMap(({ name }): readonly StepName[] => {
    const definition = stepDefinitions[name as StepName];
    return 'compensation' in definition ? [definition.compensation] : [];
  });
  // Whatever has switched the machine on, it is off before a volume is taken away.
  const detach = names.indexOf('storage.detach');
  const safe = detach === -1 || names.includes('power.off') ? names : names.toSpliced(detach, 0, 'power.off');
  return safe.map((name) => pendingStep(name, true));
}

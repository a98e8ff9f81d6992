export interface StepSignal {
  readonly signal: AbortSignal;
  /** Whether the time is what has aborted it. */
  readonly isOverdue: boolean;
  /** Lets go of the timer and of the other signal. */
  release(): void;
}

/**
 * A signal for one step, aborted after some time or together with another signal. In place of `AbortSignal.any`, whose cost grows with
 * the number of signals that were made from the other one before.
 */
export function createStepSignal(timeoutMs: number, stop: AbortSignal): StepSignal {
  const controller = new AbortController();
  let isOverdue = false;
  const timer = setTimeout(() => {
    isOverdue = true;
    controller.abort(new DOMException('The step did not end in time.', 'TimeoutError'));
  }, timeoutMs).unref();
  const onStop = () => controller.abort(stop.reason);
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  return {
    signal: controller.signal,
    get isOverdue() {
      return isOverdue;
    },
    release() {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}

import { retryAfterMs, type HttpOutcome } from '@ironbark/http';

/**
 * Whether an outcome may be another one a little later, for requests that may be made twice. A service that does not answer in time
 * is not asked again, since that would cost the time again.
 */
export function isPassing(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return outcome.fault.retryable && !outcome.fault.timedOut;
  const { status } = outcome.reply;
  return (status >= 500 && status !== 501) || isRateLimited(outcome);
}

/** Whether the service certainly has not done what was asked, and may do it a little later. */
export function isUntouched(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return isPassing(outcome) && !outcome.fault.mayHaveArrived;
  return isRateLimited(outcome);
}

/** 429, or 413 with a time to wait: without one it is a quota, and Cinder writes a zero then. */
function isRateLimited(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return false;
  const { status, headers } = outcome.reply;
  return status === 429 || (status === 413 && (retryAfterMs(headers) ?? 0) > 0);
}

import { retryAfterMs, type HttpOutcome, type HttpReply } from '@ironbark/http';

/**
 * Whether an outcome may be another one a little later, for requests that may be made twice. A service that does not answer in time
 * is not asked again, since that would cost the time again.
 */
export function isPassing(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return outcome.fault.retryable && !outcome.fault.timedOut;
  const { status } = outcome.reply;
  return (status >= 500 && status !== 501) || isRateLimited(outcome.reply);
}

/** Whether the service certainly has not done what was asked, and may do it a little later. */
export function isUntouched(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return isPassing(outcome) && !outcome.fault.mayHaveArrived;
  return isRateLimited(outcome.reply);
}

/** 429, or 413 with a time to wait: without one it is a quota, and Cinder writes a zero then. */
export function isRateLimited({ status, headers }: HttpReply): boolean {
  return status === 429 || (status === 413 && (retryAfterMs(headers) ?? 0) > 0);
}

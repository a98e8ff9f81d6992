import { explain, IronbarkError, isIronbarkError } from '@ironbark/core';
import { isServiceError } from '@ironbark/openstack';

export interface VolumeFailure {
  readonly volumeId: string;
  readonly error: unknown;
}

/** Whether Cinder may have done what it was asked for, although the call failed. */
export function mayHaveActed(error: unknown): boolean {
  return isServiceError(error) && error.mayHaveActed;
}

/** Whether Cinder said itself that it failed. */
export function wasAnswered(error: unknown): boolean {
  return isServiceError(error) && error.httpStatus !== null;
}

/** Whether Cinder may still be at it: the request went out, and nothing came back. */
export function isUnanswered(error: unknown): boolean {
  return isServiceError(error, 'OPENSTACK_UNREACHABLE') && error.mayHaveActed;
}

/** A failure with one volume. */
export function cinderFailure(message: string, hint?: string, cause?: unknown): IronbarkError {
  return new IronbarkError('STORAGE_FAILURE', message, { ...(hint !== undefined && { hint }), cause });
}

/** One sentence for each reason, with the volumes that met it. */
function sentencesOf(failures: readonly VolumeFailure[]): readonly string[] {
  return [...Map.groupBy(failures, ({ error }) => explain(error))].map(([reason, those]) => {
    const [first] = those;
    if (those.length === 1 && reason.startsWith(`Volume ${first?.volumeId} `)) return reason;
    const ids = those.map(({ volumeId }) => volumeId).join(', ');
    return `${those.length === 1 ? 'Volume' : 'Volumes'} ${ids}: ${reason}`;
  });
}

/** Failures with several volumes as one error. @param left volumes that may still be held. */
export function failureOfVolumes(
  what: string,
  failures: readonly VolumeFailure[],
  left: readonly VolumeFailure[],
): IronbarkError {
  const sentences = [what, ...sentencesOf(failures)];
  if (left.length > 0) sentences.push('What had been made for them was not released.', ...sentencesOf(left));
  return new IronbarkError('STORAGE_FAILURE', sentences.join(' '), {
    ...(left.length > 0 && {
      hint: 'It is in the journal of the node: power it off or undeploy it to release the rest.',
    }),
    retryable: failures.every(({ error }) => isIronbarkError(error) && error.retryable),
    cause: failures[0]?.error,
  });
}

/** An error after which nothing more may be done for the node: another conductor has it. */
export function isLockLost(error: unknown): boolean {
  return isIronbarkError(error, 'LOCK_LOST');
}

/** An error that no repetition mends. */
export function isFinal(error: unknown): boolean {
  return (
    isLockLost(error) ||
    isServiceError(error, 'OPENSTACK_UNAUTHORIZED') ||
    isServiceError(error, 'OPENSTACK_FORBIDDEN') ||
    isServiceError(error, 'OPENSTACK_NO_ENDPOINT')
  );
}

import { setTimeout as delay } from 'node:timers/promises';
import { isUnanswered } from './failure.ts';
import type { AttachmentNote } from './journal-notes.ts';
import type { VolumeWork } from './protocol.ts';

/**
 * Waits for a call that would do harm when it is carried out late. When its answer is lost, it is noted that the request may still be on
 * its way: Cinder must not be asked to take back what it is about to make, nor to make anew what it is about to take back.
 */
export async function asking<Answer>(work: VolumeWork, call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    if (work.signal.aborted || isUnanswered(error)) {
      await work.notes.putUnsettled(work.volumeId, Date.now() + work.settleMs);
    }
    throw error;
  }
}

/** Notes what a call has left that did not end: its last request may be carried out late. */
export async function keepUnsettled({ volumeId, notes, settleMs }: VolumeWork, left: AttachmentNote): Promise<void> {
  if (left.phase === 'attached' || (await notes.unsettledUntil(volumeId)) > 0) return;
  await notes.putUnsettled(volumeId, left.askedAt + settleMs);
}

/** Waits until a request whose answer was lost has been carried out, or never will be. */
export async function settle(work: VolumeWork): Promise<void> {
  await waitUntil(work, await work.notes.unsettledUntil(work.volumeId));
}

/** As {@link settle}, for the last request of a conductor that died, whose answer nobody knows. */
export async function settleInterrupted(work: VolumeWork, { askedAt }: AttachmentNote): Promise<void> {
  await waitUntil(work, askedAt + work.settleMs);
}

async function waitUntil({ volumeId, settleMs, signal, log }: VolumeWork, time: number): Promise<void> {
  // The clock may have been set back since.
  const waitMs = Math.min(time - Date.now(), settleMs);
  if (waitMs <= 0) return;
  log.info({ volume: volumeId, waitMs }, 'waiting for a request to Cinder whose answer is not known');
  await delay(waitMs, undefined, { signal });
}

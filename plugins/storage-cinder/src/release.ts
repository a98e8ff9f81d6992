import { setTimeout as delay } from 'node:timers/promises';
import { explain, type Task } from '@ironbark/core';
import type { Connector } from '@ironbark/openstack';
import { connectorOf } from './connector.ts';
import { cinderFailure, isFinal } from './failure.ts';
import { markVolume, unmarkVolume } from './metadata.ts';
import type { Evidence } from './proof.ts';
import type { CinderContext, VolumeWork } from './protocol.ts';
import { protocolNamed, protocolOf, releasingProtocol } from './protocols.ts';
import { settle, settleInterrupted } from './unsettled.ts';
import { describeHolder, surveyVolume, type Holding, type Survey } from './survey.ts';

export interface ReleaseOptions {
  /** Whether this very call has made what is to be released, and so knows the answers of Cinder. */
  readonly isOwnWork: boolean;
  /**
   * Whether no other release follows before the node is used again. Until then the journal remembers a request whose answer was lost:
   * it may be carried out at any time.
   */
  readonly isLast: boolean;
  /** Whether the node does not attach the volume again: then its mark in the metadata goes. */
  readonly isForGood: boolean;
  /** Which of the node's holdings may be released. Default: all. */
  readonly mayRelease?: (holding: Holding, evidence: Evidence) => boolean;
}

/** Also what one may set as the first wait. */
const longestWaitMs = 300_000;

/**
 * Releases what Cinder holds of a volume for the node, at any stage, and proves it by looking again. Tries several times.
 * @throws what the last attempt met; the note in the journal stays then.
 */
export async function releaseVolume(
  context: CinderContext,
  work: VolumeWork,
  options: ReleaseOptions,
): Promise<'released' | 'absent'> {
  const { actionRetries, actionRetryIntervalMs } = context.options;
  let hasReleased = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await settle(work);
      const before = await lookAtRest(context, work, options);
      for (const holding of before.held) {
        hasReleased = true;
        await releaseHolding(context, work, holding, before);
      }
      const isPurged = await purge(context, work, before, options);
      const after = hasReleased || isPurged ? await look(context, work, options) : before;
      const [left] = after.held;
      if (left !== undefined) {
        throw cinderFailure(`Cinder accepted the release, but it is still held for ${describeHolder(left)}.`);
      }
      await close(context, work, after, options);
      return hasReleased ? 'released' : 'absent';
    } catch (error) {
      work.signal.throwIfAborted();
      if (attempt >= actionRetries || isFinal(error)) throw error;
      const waitMs = Math.min(actionRetryIntervalMs * 2 ** attempt, longestWaitMs);
      work.log.warn({ volume: work.volumeId, attempt, waitMs, error: explain(error) }, 'releasing a volume again');
      await delay(waitMs, undefined, { signal: work.signal });
    }
  }
}

interface Look extends Survey, Evidence {
  /** What is to be released. */
  readonly held: readonly Holding[];
}

async function look(
  { service }: CinderContext,
  work: VolumeWork,
  { mayRelease = () => true }: ReleaseOptions,
): Promise<Look> {
  const note = await work.notes.get(work.volumeId);
  const survey = await surveyVolume(service, { ...work, note });
  const isUnsettled = (await work.notes.unsettledUntil(work.volumeId)) > 0;
  return {
    ...survey,
    note,
    isUnsettled,
    held: survey.own.filter((holding) => mayRelease(holding, { note, isUnsettled })),
  };
}

/** A volume that is not attached yet may be about to be, by a request of a conductor that died on the way. */
async function lookAtRest(context: CinderContext, work: VolumeWork, options: ReleaseOptions): Promise<Look> {
  const seen = await look(context, work, options);
  const isAttached = seen.note?.phase === 'attached' || seen.own.some(({ stage }) => stage === 'attached');
  if (options.isOwnWork || isAttached || seen.note === undefined) return seen;
  await settleInterrupted(work, seen.note);
  return await look(context, work, options);
}

async function releaseHolding(context: CinderContext, work: VolumeWork, holding: Holding, seen: Look): Promise<void> {
  const { note, volume } = seen;
  if (volume === null) return;
  const { volumeId, owner, notes } = work;
  const made = await protocolOf(context, work, holding, note);
  const protocol = await releasingProtocol(context, work, holding, seen, made);
  const instanceUuid = note?.instanceUuid ?? holding.instanceUuid ?? owner.instanceUuid;
  const connector = note?.connector ?? work.connector;
  // Whoever has lost the node learns it here, before anything is taken from a machine that another conductor may have started.
  await notes.put(
    note ?? {
      volumeId,
      protocol: made.name,
      phase: 'attached',
      attachmentId: holding.attachmentId,
      instanceUuid,
      connector,
    },
  );
  await protocol.release({ ...work, connector, owner: { ...owner, instanceUuid } }, holding, volume);
}

/**
 * Where an export may have been made by a request that came too late to be seen, makes one and takes it back, with which Cinder removes
 * either.
 */
async function purge(
  context: CinderContext,
  work: VolumeWork,
  { note, volume, held, isUnsettled }: Look,
  { isLast }: ReleaseOptions,
): Promise<boolean> {
  if (!isLast || !isUnsettled || held.length > 0 || note?.phase !== 'exporting') return false;
  if (volume?.status !== 'available') return false;
  const { connector, instanceUuid } = note;
  await protocolNamed(context, note.protocol).purge({ ...work, connector, owner: { ...work.owner, instanceUuid } });
  return true;
}

async function close(
  { service }: CinderContext,
  work: VolumeWork,
  { volume, own, note, isUnsettled }: Look,
  options: ReleaseOptions,
): Promise<void> {
  const { volumeId, owner, signal, log, notes } = work;
  if (own.length > 0) return;
  if (volume === null) log.warn({ volume: volumeId }, 'a volume that was to be released does not exist any more');
  else if (options.isForGood) await unmarkVolume({ service, volume, owner, signal, log });
  else if (!options.isOwnWork && note !== undefined)
    await markVolume({ service, volume, owner, signal, log }, 'detached');
  if (options.isLast || !isUnsettled) await notes.delete(volumeId);
}

/** The connector of the records, for volumes of which the journal holds none; connectors may have been deleted or broken since. */
export function releasingConnector(task: Pick<Task, 'node' | 'volumeConnectors'>): Connector {
  try {
    return connectorOf(task);
  } catch {
    return { host: task.node.uuid };
  }
}

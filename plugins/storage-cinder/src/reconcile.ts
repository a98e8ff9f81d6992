import { explain, type AttachmentFinding, type Task, type VolumeAttachment } from '@ironbark/core';
import { isLockLost } from './failure.ts';
import { AttachmentNotes } from './journal-notes.ts';
import { ownerOf, type Owner } from './owner.ts';
import { isProven, type Evidence } from './proof.ts';
import { metadataKeyPrefix } from './metadata.ts';
import type { CinderContext, VolumeWork } from './protocol.ts';
import { releaseVolume, releasingConnector } from './release.ts';
import { describeHolder, surveyVolume, type Holding, type Survey } from './survey.ts';
import { isVolumeId } from './validation.ts';

/**
 * Compares what Cinder holds for a node with what it should hold, and releases what is proven to be ours when it is asked to. A mark
 * in the metadata only says where to look: owners of volumes write there as well.
 */
export async function reconcileVolumes(
  context: CinderContext,
  task: Task,
  expected: readonly VolumeAttachment[],
  repair: boolean,
): Promise<readonly AttachmentFinding[]> {
  const { node, volumeTargets, signal, log } = task;
  const notes = new AttachmentNotes(task.journal);
  const owner = ownerOf(node);
  const expectedIds = new Set(expected.map(({ volumeId }) => volumeId));
  const targetIds = new Set(volumeTargets.map(({ volumeId }) => volumeId).filter(isVolumeId));
  const notedIds = (await notes.list()).map(({ volumeId }) => volumeId);
  const heldIds = await volumesHeldFor(context, owner, signal);
  const { settleMs } = context.options;
  const work = { owner, notes, connector: releasingConnector(task), settleMs, signal, log };
  const examine = async (volumeId: string) => {
    const note = await notes.get(volumeId);
    const survey = await surveyVolume(context.service, { volumeId, owner, note, signal });
    const isTarget = targetIds.has(volumeId);
    const isUnsettled = (await notes.unsettledUntil(volumeId)) > 0;
    const seen = { volumeId, note, isUnsettled, survey, isExpected: expectedIds.has(volumeId), isTarget };
    const findings = compare(owner, seen);
    const isForGood = node.provisionState !== 'active' || !isTarget;
    return repair ? await repaired(context, { ...work, volumeId }, seen, findings, isForGood) : findings;
  };
  const ids = new Set([...expectedIds, ...targetIds, ...notedIds, ...heldIds]);
  return (await Promise.all([...ids].map(examine))).flat();
}

/** Volumes that Cinder connects with the node by itself. Without attachments it has no books by instance, so the marks have to do. */
async function volumesHeldFor(
  { service }: CinderContext,
  owner: Owner,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (!(await service.capabilities(signal)).hasAttachments) {
    const marked = await service.listVolumesMarked(metadataKeyPrefix + owner.nodeUuid, signal);
    return marked.map(({ id }) => id);
  }
  const lists = [...owner.instanceUuids].map((instanceUuid) => service.listAttachments({ instanceUuid }, signal));
  return (await Promise.all(lists)).flat().map(({ volumeId }) => volumeId);
}

interface Seen extends Evidence {
  readonly volumeId: string;
  readonly survey: Survey;
  readonly isExpected: boolean;
  readonly isTarget: boolean;
}

/** The attachment that should be there. */
function rightful({ survey, isExpected, note }: Seen): Holding | undefined {
  const attached = isExpected ? survey.own.filter(({ stage }) => stage === 'attached') : [];
  return attached.find(({ attachmentId }) => attachmentId === note?.attachmentId) ?? attached.at(-1);
}

function compare(owner: Owner, seen: Seen): readonly AttachmentFinding[] {
  const { volumeId, note, survey, isExpected, isTarget } = seen;
  const { nodeUuid } = owner;
  const finding = (
    kind: AttachmentFinding['kind'],
    attachmentId: string | null,
    explanation: string,
    isOurs = false,
  ) => {
    return { kind, nodeUuid, volumeId, attachmentId, explanation, isOurs, isRepaired: false };
  };
  const kept = rightful(seen);
  const leaked = survey.own.filter((holding) => holding !== kept);
  const findings = leaked.map((holding) => {
    const isOurs = isProven(holding, owner, seen);
    const what = `Cinder holds volume ${volumeId} for ${describeHolder(holding)}, which node ${nodeUuid} should not have.`;
    return finding('leaked', holding.attachmentId, `${what} ${adviceFor(holding, owner, isOurs)}`, isOurs);
  });
  if (isExpected && kept === undefined) {
    const problem = survey.volume === null ? 'does not exist in Cinder' : 'is not attached to it in Cinder';
    const what = `Our records have volume ${volumeId} attached to node ${nodeUuid}, but it ${problem}.`;
    const advice = 'Power the node off and on to attach it again, or undeploy it.';
    findings.push(finding('missing', note?.attachmentId ?? null, `${what} ${advice}`));
  }
  const isShared = survey.volume?.multiattach === true;
  for (const holding of (isExpected || isTarget) && !isShared ? survey.others : []) {
    const what = `Volume ${volumeId} of node ${nodeUuid} is attached to ${describeHolder(holding)}.`;
    findings.push(finding('foreign', holding.attachmentId, `${what} Detach it there, or delete the volume target.`));
  }
  return findings;
}

function adviceFor({ attachmentId }: Holding, { nodeUuid }: Owner, isOurs: boolean): string {
  if (isOurs) return `It is ours: "ironbark reconcile ${nodeUuid} --repair" releases it.`;
  return `It is not proven to be ours. When nothing uses it: openstack --os-volume-api-version 3.27 volume attachment delete ${attachmentId}.`;
}

async function repaired(
  context: CinderContext,
  work: VolumeWork,
  seen: Seen,
  findings: readonly AttachmentFinding[],
  isForGood: boolean,
): Promise<readonly AttachmentFinding[]> {
  const kept = rightful(seen);
  const isLeaked = findings.some(({ kind, isOurs }) => kind === 'leaked' && isOurs);
  const isStale = seen.note !== undefined && seen.survey.own.length === 0 && !seen.isExpected;
  if (!isLeaked && !isStale) return findings;
  const failure = await releaseVolume(context, work, {
    isOwnWork: false,
    isLast: true,
    isForGood,
    mayRelease: (holding, evidence) => {
      return holding.attachmentId !== kept?.attachmentId && isProven(holding, work.owner, evidence);
    },
  }).then(
    () => undefined,
    (error: unknown) => {
      work.signal.throwIfAborted();
      if (isLockLost(error)) throw error;
      return explain(error);
    },
  );
  return findings.map((finding) =>
    finding.kind === 'leaked' && finding.isOurs ? resolved(finding, failure) : finding,
  );
}

function resolved(finding: AttachmentFinding, failure: string | undefined): AttachmentFinding {
  if (failure === undefined) return { ...finding, isRepaired: true };
  return { ...finding, explanation: `${finding.explanation} Releasing it failed: ${failure}` };
}

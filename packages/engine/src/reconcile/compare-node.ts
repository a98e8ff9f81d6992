import { explain, isIronbarkError, type AttachmentFinding, type Task, type VolumeAttachment } from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { withLock } from '../node-lock.ts';
import { syncPowerState } from '../operations/power.ts';
import { createStepSignal } from '../operations/step-signal.ts';
import { isEveryTargetAttached } from '../operations/volumes.ts';
import { createTask } from '../task.ts';
import { withinSignal } from '../within-signal.ts';
import type { NodeComparison, SkippedNode } from './report.ts';

/** Compares one node, with its lock held. @returns undefined when it does not exist any more. */
export async function compareNode(
  context: EngineContext,
  nodeUuid: string,
  repair: boolean,
  signal: AbortSignal,
): Promise<NodeComparison | undefined> {
  const node = await context.store.nodes.find(nodeUuid);
  if (node === undefined) return undefined;
  const about = { nodeUuid, name: node.name, storageInterface: node.interfaces.storage };
  const skip = (reason: SkippedNode['reason'], explanation: string) => {
    return { ...about, findings: [], skipped: { reason, explanation }, repairWithheld: null };
  };
  const limit = createStepSignal(context.stepTimeoutMs, signal);
  try {
    const { driver } = await createTask(context, node, { scope: 'storage' });
    if (driver.storage.reconcile === undefined)
      return skip('no_books', `The storage interface ${driver.names.storage} keeps no books.`);
    // Looked at before and after the lock is taken: an operation whose conductor does not run must not lose its lock.
    if (await hasOpenOperation(context, nodeUuid)) return skip('locked', openOperation);
    return await withLock(context, nodeUuid, async (fence) => {
      if (await hasOpenOperation(context, nodeUuid)) return skip('locked', openOperation);
      const current = await context.store.nodes.find(nodeUuid);
      if (current === undefined) return undefined;
      const task = await createTask(context, current, { scope: 'storage', fence, signal: limit.signal });
      return { ...about, skipped: null, ...(await compare(context, task, repair, fence)) };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (isIronbarkError(error, 'NODE_LOCKED')) return skip('locked', explain(error));
    const overdue = `It did not end within ${context.stepTimeoutMs / 1000} s.`;
    return skip('failed', limit.isOverdue ? overdue : explain(error));
  } finally {
    limit.release();
  }
}

const openOperation = 'An operation of the node has not ended.';

/** A node has one operation at a time, so the newest is the one that may be open. */
async function hasOpenOperation({ store }: EngineContext, nodeUuid: string): Promise<boolean> {
  const [newest] = await store.operations.listOfNode(nodeUuid, 1);
  return newest !== undefined && newest.finishedAt === null;
}

async function compare(
  context: EngineContext,
  task: Task,
  repair: boolean,
  fence: Fence,
): Promise<Pick<NodeComparison, 'findings' | 'repairWithheld'>> {
  const { storage } = task.driver;
  const expected = await context.store.attachments.list(task.node.uuid);
  const ask = (releases: boolean) =>
    withinSignal(storage.reconcile?.(task, expected, releases) ?? Promise.resolve([]), task.signal);
  const findings = await ask(false);
  if (!repair) return { findings, repairWithheld: null };
  const leaks = findings.filter(({ kind, isOurs }) => kind === 'leaked' && isOurs);
  // A driver also drops notes of what its service does not hold.
  const notes = await context.store.journal.list(task.node.uuid, 'storage');
  const isNeeded = leaks.length > 0 || notes.size > expected.length;
  const areOfRecordedVolumes = leaks.every(({ volumeId }) =>
    expected.some((attachment) => attachment.volumeId === volumeId),
  );
  const withheld = isNeeded ? await whyNothingIsReleased(context, task, areOfRecordedVolumes, fence) : null;
  const left = isNeeded && withheld === null ? await ask(true) : findings;
  return {
    findings: await forgetMissing(context, task.node.uuid, expected, left, fence),
    repairWithheld: leaks.length > 0 ? withheld : null,
  };
}

/**
 * A machine that runs may use a volume that our records have lost, after a database was restored for example. Something is released
 * when it is off, or when all that it should have is recorded and the service holds more of these volumes only.
 */
async function whyNothingIsReleased(
  context: EngineContext,
  task: Task,
  areOfRecordedVolumes: boolean,
  fence: Fence,
): Promise<string | null> {
  const isRecorded = task.volumeTargets.length > 0 && (await isEveryTargetAttached(context, task));
  if (task.node.provisionState === 'active' && isRecorded && areOfRecordedVolumes) return null;
  const hint = 'Nothing was released, because the machine may be using a volume that the records do not show.';
  try {
    const asked = syncPowerState(context, task.forInterface('power'), fence);
    const powerState = await withinSignal(asked, task.signal);
    return powerState === 'power off' ? null : `${hint} Its BMC reports "${powerState}": power it off first.`;
  } catch (error) {
    return `${hint} Its power state could not be read: ${explain(error)}`;
  }
}

/** Drops the records of attachments that do not exist: the next power on attaches these volumes anew. */
async function forgetMissing(
  { store }: EngineContext,
  nodeUuid: string,
  expected: readonly VolumeAttachment[],
  findings: readonly AttachmentFinding[],
  fence: Fence,
): Promise<readonly AttachmentFinding[]> {
  const isMissing = (volumeId: string) => {
    return findings.some((finding) => finding.kind === 'missing' && finding.volumeId === volumeId);
  };
  const kept = expected.filter(({ volumeId }) => !isMissing(volumeId));
  if (kept.length === expected.length) return findings;
  await store.attachments.replace(nodeUuid, kept, fence);
  const isForgotten = (volumeId: string) => expected.some((attachment) => attachment.volumeId === volumeId);
  return findings.map((finding) => {
    return finding.kind === 'missing' && isForgotten(finding.volumeId) ? { ...finding, isRepaired: true } : finding;
  });
}

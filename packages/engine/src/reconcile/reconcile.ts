import { setImmediate as nextTurn } from 'node:timers/promises';
import { explain, type StorageInterface } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import { withinBound } from '../hook-call.ts';
import { inParallel } from '../in-parallel.ts';
import { findNode } from '../node-lock.ts';
import { createStepSignal } from '../operations/step-signal.ts';
import { withinSignal } from '../within-signal.ts';
import { compareNode } from './compare-node.ts';
import { openFindings, type NodeComparison, type OrphanSearch, type ReconcileReport } from './report.ts';

export interface ReconcileOptions {
  /** Whether what is provably ours and not expected is released; false: nothing is changed. */
  readonly repair: boolean;
  readonly signal?: AbortSignal;
}

const nodesAtOnce = 8;

/**
 * Compares our records with those of the storage services: of one node, or of all nodes and then for volumes of nodes that do not exist.
 * Each node is locked while it is compared. Needs no engine that was started.
 * @throws NOT_FOUND for an unknown node; the reason of the signal. Failures of a storage service are in the report.
 */
export async function reconcile(
  context: EngineContext,
  ident: string | null,
  { repair, signal = new AbortController().signal }: ReconcileOptions,
): Promise<ReconcileReport> {
  const { store, lockLeaseMs } = context;
  const uuids = ident === null ? await store.nodes.uuids() : [(await findNode(context, ident)).uuid];
  // A comparison may last longer than a lease.
  const renewal = setInterval(() => void renewLocks(context), lockLeaseMs / 3).unref();
  try {
    const comparisons = new Map<string, NodeComparison>();
    await inParallel(uuids, nodesAtOnce, async (uuid) => {
      await nextTurn();
      signal.throwIfAborted();
      const comparison = await compareNode(context, uuid, repair, signal);
      if (comparison !== undefined) comparisons.set(uuid, comparison);
    });
    const nodes = uuids.flatMap((uuid) => comparisons.get(uuid) ?? []);
    const report = { nodes, orphans: ident === null ? await findOrphans(context, signal) : [] };
    if (ident === null) await tell(context, report);
    return report;
  } finally {
    clearInterval(renewal);
  }
}

async function renewLocks({ store, hostname, lockLeaseMs, log }: EngineContext): Promise<void> {
  try {
    await store.locks.renew(hostname, lockLeaseMs);
  } catch (error) {
    log.error({ error: explain(error) }, 'node locks could not be renewed');
  }
}

/** Whether any storage interface has books that can be compared. */
export function hasBooks({ registry }: EngineContext): boolean {
  const all = [...registry.interfaces.storage.values()];
  return all.some((storage) => storage.reconcile !== undefined || storage.findOrphans !== undefined);
}

async function findOrphans(context: EngineContext, signal: AbortSignal): Promise<readonly OrphanSearch[]> {
  const searches: OrphanSearch[] = [];
  for (const [name, storage] of context.registry.interfaces.storage) {
    const search = await findOrphansOf(context, name, storage, signal);
    if (search !== undefined) searches.push(search);
  }
  return searches;
}

async function findOrphansOf(
  { store, stepTimeoutMs }: EngineContext,
  storageInterface: string,
  storage: StorageInterface,
  signal: AbortSignal,
): Promise<OrphanSearch | undefined> {
  if (storage.findOrphans === undefined) return undefined;
  const limit = createStepSignal(stepTimeoutMs, signal);
  try {
    const known = new Set(await store.nodes.uuids());
    const isKnown = (nodeUuid: string) => known.has(nodeUuid.toLowerCase());
    const found = await withinSignal(storage.findOrphans(isKnown, limit.signal), limit.signal);
    const now = new Set(await store.nodes.uuids());
    // A node may have been created while the service was asked.
    const findings = found.filter(({ nodeUuid }) => !now.has(nodeUuid.toLowerCase()));
    return { storageInterface, findings, failure: null };
  } catch (error) {
    signal.throwIfAborted();
    const failure = limit.isOverdue ? `It did not end within ${stepTimeoutMs / 1000} s.` : explain(error);
    return { storageInterface, findings: [], failure };
  } finally {
    limit.release();
  }
}

async function tell({ hooks, log }: EngineContext, report: ReconcileReport): Promise<void> {
  try {
    await withinBound(hooks.storageCompared.promise(openFindings(report)));
  } catch (error) {
    log.warn({ error: explain(error) }, 'a tap of storageCompared failed');
  }
}

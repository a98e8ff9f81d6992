import { setTimeout as sleep } from 'node:timers/promises';
import { IronbarkError, notFound, timestamp, type Node } from '@ironbark/core';
import type { Fence, Lock } from '@ironbark/store';
import type { EngineContext } from './context.ts';

const pollMs = 50;

/** The API's answer for a node that is busy. Clients recognise the text and try again. */
export function nodeLocked(nodeUuid: string, host: string): IronbarkError {
  return new IronbarkError(
    'NODE_LOCKED',
    `Node ${nodeUuid} is locked by host ${host}, please retry after the current operation is completed.`,
    {
      retryable: true,
    },
  );
}

/**
 * Takes the lock of a node.
 * @param waitMs how long short work of others may take to end. Default: as long as a request waits.
 * @throws NODE_LOCKED, NOT_FOUND.
 */
export async function acquireLock(
  context: EngineContext,
  nodeUuid: string,
  waitMs: number = context.lockWaitMs,
): Promise<Lock> {
  const { store, hostname, lockLeaseMs } = context;
  const deadline = Date.now() + waitMs;
  for (;;) {
    const lock = await store.locks.acquire(nodeUuid, hostname, lockLeaseMs);
    if (lock !== undefined) return lock;
    if (Date.now() >= deadline) throw nodeLocked(nodeUuid, (await store.locks.find(nodeUuid))?.owner ?? hostname);
    await sleep(pollMs);
  }
}

/** Runs short work on a node with its lock held. @param waitMs as of {@link acquireLock}. */
export async function withLock<Result>(
  context: EngineContext,
  nodeUuid: string,
  work: (fence: Fence) => Promise<Result>,
  waitMs?: number,
): Promise<Result> {
  const lock = await acquireLock(context, nodeUuid, waitMs);
  try {
    return await work(lock);
  } finally {
    await context.store.locks.release(lock);
  }
}

/** Whether somebody works on a node now. A lock whose lease has run out is held by nobody who lives. */
export async function isLocked({ store, hostname }: EngineContext, node: Node): Promise<boolean> {
  if (node.reservation === null) return false;
  const lock = await store.locks.find(node.uuid);
  return lock !== undefined && (lock.owner === hostname || lock.expiresAt >= timestamp());
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** Finds a node by uuid or name. @throws NOT_FOUND. */
export async function findNode(context: EngineContext, ident: string): Promise<Node> {
  const node = isUuid(ident)
    ? await context.store.nodes.find(ident.toLowerCase())
    : await context.store.nodes.findByName(ident);
  if (node === undefined) throw notFound('Node', ident);
  return node;
}

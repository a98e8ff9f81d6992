import { setTimeout as sleep } from 'node:timers/promises';
import { IronbarkError, notFound, type Node } from '@ironbark/core';
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

/** Takes the lock of a node, waiting a little for short work of others to end. @throws NODE_LOCKED, NOT_FOUND. */
export async function acquireLock(context: EngineContext, nodeUuid: string): Promise<Lock> {
  const { store, hostname, lockLeaseMs, lockWaitMs } = context;
  const deadline = Date.now() + lockWaitMs;
  for (;;) {
    const lock = await store.locks.acquire(nodeUuid, hostname, lockLeaseMs);
    if (lock !== undefined) return lock;
    if (Date.now() >= deadline) throw nodeLocked(nodeUuid, (await store.locks.find(nodeUuid))?.owner ?? hostname);
    await sleep(pollMs);
  }
}

/** Runs short work on a node with its lock held. */
export async function withLock<Result>(
  context: EngineContext,
  nodeUuid: string,
  work: (fence: Fence) => Promise<Result>,
): Promise<Result> {
  const lock = await acquireLock(context, nodeUuid);
  try {
    return await work(lock);
  } finally {
    await context.store.locks.release(lock);
  }
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

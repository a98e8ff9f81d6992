import type { Info, Node } from '@ironbark/core';
import type { Lock, Operation } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { acquireLock, findNode } from '../node-lock.ts';
import { createOperation, type OperationRunner } from './runner.ts';
import type { StepName } from './steps.ts';

/**
 * Locks a node for an operation. The work gets the node as it is under the lock; when it returns false or throws, the lock is
 * released, else the operation that it began has it.
 * @param waitMs as of {@link acquireLock}.
 */
export async function withOperationLock(
  context: EngineContext,
  nodeUuid: string,
  runner: OperationRunner,
  work: (node: Node, lock: Lock) => Promise<boolean>,
  waitMs?: number,
): Promise<void> {
  const lock = await acquireLock(context, nodeUuid, waitMs);
  runner.claim(nodeUuid);
  let handedOver = false;
  try {
    handedOver = await work(await findNode(context, nodeUuid), lock);
  } finally {
    if (!handedOver) {
      runner.disclaim(nodeUuid);
      await context.store.locks.release(lock);
    }
  }
}

export interface NewOperation {
  readonly verb: string;
  readonly steps: readonly StepName[];
  readonly parameters: Info;
  /** What the node's record shows from now on. */
  readonly nodeFields: Partial<Node>;
}

/** Stores an operation and the node's new state in one transaction. */
export async function storeOperation(
  context: EngineContext,
  node: Node,
  { verb, steps, parameters, nodeFields }: NewOperation,
  lock: Lock,
): Promise<{ readonly operation: Operation; readonly updated: Node }> {
  const operation = createOperation(node, verb, steps, parameters);
  const updated = await context.store.transaction(async (transaction) => {
    await transaction.operations.insert(operation, lock);
    return transaction.nodes.update(node.uuid, nodeFields, lock);
  });
  return { operation, updated };
}

import { IronbarkError, timestamp, type Node, type PowerTarget } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { PowerService } from '../engine.ts';
import { acquireLock, findNode } from '../node-lock.ts';
import { powerStepsOf } from '../operations/definitions.ts';
import type { OperationRunner } from '../operations/runner.ts';
import { createTask } from '../task.ts';

export function createPowerService(context: EngineContext, runner: OperationRunner): PowerService {
  return {
    async request(ident, target, timeoutSeconds) {
      const found = await findNode(context, ident);
      checkState(found, target);
      const lock = await acquireLock(context, found.uuid);
      let handedOver = false;
      try {
        runner.assertFreeWorker();
        const node = await findNode(context, found.uuid);
        checkState(node, target);
        const task = await createTask(context, node, { scope: 'power' });
        await task.driver.power.validate(task);
        const parameters = timeoutSeconds === null ? {} : { timeout_ms: timeoutSeconds * 1000 };
        const operation = await runner.create(node, target, powerStepsOf(node, target), parameters, lock);
        const updated = await context.store.nodes.update(
          node.uuid,
          { ...requested(node, target), updatedAt: timestamp() },
          lock,
        );
        await context.notifier.node('power_set', 'start', updated);
        runner.run(operation, lock);
        handedOver = true;
      } finally {
        if (!handedOver) await context.store.locks.release(lock);
      }
    },
  };
}

/** An error that explains a failed state stays until the state changes. */
function requested(node: Node, target: PowerTarget): Partial<Node> {
  const keepError = node.provisionState === 'error' || node.provisionState.endsWith(' failed');
  return keepError ? { targetPowerState: target } : { targetPowerState: target, lastError: null };
}

function checkState(node: Node, target: PowerTarget): void {
  if (node.provisionState !== 'cleaning' && node.provisionState !== 'clean wait') return;
  throw new IronbarkError(
    'INVALID_STATE_REQUESTED',
    `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.provisionState}".`,
  );
}

import { IronbarkError, timestamp, type Node, type PowerTarget } from '@ironbark/core';
import type { EngineContext } from '../context.ts';
import type { PowerService } from '../engine.ts';
import { findNode } from '../node-lock.ts';
import { storeOperation, withOperationLock } from '../operations/begin.ts';
import { powerStepsOf } from '../operations/definitions.ts';
import type { OperationRunner } from '../operations/runner.ts';
import { followsPower } from '../operations/volumes.ts';
import { createTask } from '../task.ts';

export function createPowerService(context: EngineContext, runner: OperationRunner): PowerService {
  return {
    async request(ident, target, timeoutSeconds) {
      const found = await findNode(context, ident);
      checkState(found, target);
      await withOperationLock(context, found.uuid, runner, async (node, lock) => {
        runner.assertFreeWorker();
        checkState(node, target);
        const task = await createTask(context, node, { scope: 'power' });
        await task.driver.power.validate(task);
        const parameters = timeoutSeconds === null ? {} : { timeout_ms: timeoutSeconds * 1000 };
        const request = {
          verb: target,
          steps: powerStepsOf(node, target, followsPower(task.driver)),
          parameters,
          nodeFields: requested(node, target),
        };
        const { operation, updated } = await storeOperation(context, node, request, lock);
        await context.notifier.node('power_set', 'start', updated);
        void runner.run(operation, lock);
        return true;
      });
    },
  };
}

/** An error that explains a failed state stays until the state changes. */
function requested(node: Node, target: PowerTarget): Partial<Node> {
  const keepError = node.provisionState === 'error' || node.provisionState.endsWith(' failed');
  return { targetPowerState: target, updatedAt: timestamp(), ...(keepError ? {} : { lastError: null }) };
}

function checkState(node: Node, target: PowerTarget): void {
  if (node.provisionState !== 'cleaning' && node.provisionState !== 'clean wait') return;
  throw new IronbarkError(
    'INVALID_STATE_REQUESTED',
    `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.provisionState}".`,
  );
}

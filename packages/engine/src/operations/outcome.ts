import { explain, timestamp, type Node } from '@ironbark/core';
import type { Lock, Operation } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { recordFailure, setProvisionState } from '../provision-state.ts';
import { nextState, type ProvisionVerb } from '../state-machine.ts';
import { provisionDefinitions } from './definitions.ts';
import { powerTargetOf } from './steps.ts';

/** Writes the result of an operation whose steps have all ended into the node and the operation. Safe to repeat after a crash. */
export async function finishOperation(context: EngineContext, operation: Operation, lock: Lock): Promise<Operation> {
  const { store, hooks, log } = context;
  const node = await store.nodes.find(operation.nodeUuid);
  if (node !== undefined) {
    if (powerTargetOf(operation.verb) === undefined) await finishProvision(context, operation, node, lock);
    else await finishPower(context, operation, node, lock);
  }
  const state = operation.error === null ? 'succeeded' : 'failed';
  const finished = await store.operations.update(operation.uuid, { state, finishedAt: timestamp() }, lock);
  const hook = state === 'succeeded' ? hooks.operationFinished : hooks.operationFailed;
  try {
    await hook.promise({
      operationUuid: operation.uuid,
      nodeUuid: operation.nodeUuid,
      verb: operation.verb,
      error: operation.error,
    });
  } catch (error) {
    log.warn(
      { node: operation.nodeUuid, operation: operation.uuid, error: explain(error) },
      'a tap of an operation hook failed',
    );
  }
  return finished;
}

async function finishProvision(context: EngineContext, operation: Operation, node: Node, lock: Lock): Promise<void> {
  const verb = operation.verb as ProvisionVerb;
  if (operation.error === null) {
    const provisionState = provisionDefinitions[verb]?.success ?? node.provisionState;
    await setProvisionState(context, node, { provisionState, targetProvisionState: null, lastError: null }, lock);
    await context.notifier.node('provision_set', 'end', {
      ...node,
      provisionState,
      targetProvisionState: null,
      lastError: null,
    });
    return;
  }
  const provisionState = nextState(node.provisionState, 'fail') ?? node.provisionState;
  const lastError = `Failed to ${verb}: ${operation.error}${unresolved(operation)}`;
  await setProvisionState(context, node, { provisionState, targetProvisionState: null, lastError }, lock);
  await recordFailure(context, node.uuid, verb, lastError);
  await context.notifier.node('provision_set', 'error', {
    ...node,
    provisionState,
    targetProvisionState: null,
    lastError,
  });
}

async function finishPower(context: EngineContext, operation: Operation, node: Node, lock: Lock): Promise<void> {
  if (operation.error === null) {
    await context.store.nodes.update(node.uuid, { targetPowerState: null, updatedAt: timestamp() }, lock);
    await context.notifier.node('power_set', 'end', { ...node, targetPowerState: null });
    return;
  }
  const lastError = `Failed to change power state to "${operation.verb}": ${operation.error}`;
  await context.store.nodes.update(node.uuid, { targetPowerState: null, lastError, updatedAt: timestamp() }, lock);
  await recordFailure(context, node.uuid, 'power', lastError);
  await context.notifier.node('power_set', 'error', { ...node, targetPowerState: null, lastError });
}

/** What could not be taken back, for the operator. */
function unresolved(operation: Operation): string {
  const left = operation.steps.filter((step) => step.compensation && step.state === 'failed');
  return left.map((step) => ` Taking back also failed at ${step.name}: ${step.error}`).join('');
}

import { explain, timestamp, type Node } from '@ironbark/core';
import type { Lock, Operation } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import { announceProvisionState, failureEntry, provisionStateFields } from '../provision-state.ts';
import { nextState, type ProvisionVerb } from '../state-machine.ts';
import { isFollowUpVerb, provisionDefinitions, type FollowUpVerb } from './definitions.ts';
import { powerTargetOf } from './steps.ts';
import { withinBound } from '../hook-call.ts';

/**
 * Writes the result of an operation whose steps have all ended into the node and the operation, and releases the lock: all in one
 * transaction, so that a crash leaves an operation that is either open or done.
 */
export async function finishOperation(context: EngineContext, operation: Operation, lock: Lock): Promise<Operation> {
  const { store, hooks, log } = context;
  const node = await store.nodes.find(operation.nodeUuid);
  const outcome = node === undefined ? undefined : outcomeOf(operation, node);
  const state = operation.error === null ? 'succeeded' : 'failed';
  const [finished, updated] = await store.transaction(async (transaction) => {
    const changed =
      outcome === undefined ? undefined : await transaction.nodes.update(operation.nodeUuid, outcome.fields, lock);
    if (outcome?.failure !== undefined) {
      await transaction.history.append(failureEntry(context, operation.nodeUuid, outcome.eventType, outcome.failure));
    }
    const done = await transaction.operations.update(operation.uuid, { state, finishedAt: timestamp() }, lock);
    await transaction.locks.release(lock);
    return [done, changed] as const;
  });
  if (node !== undefined && updated !== undefined && outcome !== undefined) {
    await announceProvisionState(context, updated, node.provisionState);
    if (outcome.notification !== null)
      await context.notifier.node(outcome.notification, operation.error === null ? 'end' : 'error', updated);
  }
  const hook = state === 'succeeded' ? hooks.operationFinished : hooks.operationFailed;
  try {
    const { uuid: operationUuid, nodeUuid, verb, error, createdAt } = finished;
    const durationMs = Date.now() - Date.parse(createdAt);
    await withinBound(hook.promise({ operationUuid, nodeUuid, verb, error, durationMs }));
  } catch (error) {
    log.warn(
      { node: operation.nodeUuid, operation: operation.uuid, error: explain(error) },
      'a tap of an operation hook failed',
    );
  }
  return finished;
}

interface Outcome {
  readonly fields: Partial<Node>;
  /** Null: the steps have told everything. */
  readonly notification: 'power_set' | 'provision_set' | null;
  /** What kind of event the history keeps. */
  readonly eventType: string;
  /** What becomes `last_error`; undefined when there is nothing to tell. */
  readonly failure?: string;
}

/** What an operation's end means for its node. Pure. */
function outcomeOf(operation: Operation, node: Node): Outcome {
  if (isFollowUpVerb(operation.verb)) return followUpOutcome(operation, node, operation.verb);
  return powerTargetOf(operation.verb) === undefined ? provisionOutcome(operation, node) : powerOutcome(operation);
}

function provisionOutcome(operation: Operation, node: Node): Outcome {
  const verb = operation.verb as ProvisionVerb;
  const about = { notification: 'provision_set', eventType: verb } as const;
  if (operation.error === null) {
    const provisionState = provisionDefinitions[verb]?.success ?? node.provisionState;
    return { ...about, fields: provisionStateFields({ provisionState, targetProvisionState: null }) };
  }
  const provisionState = nextState(node.provisionState, 'fail') ?? node.provisionState;
  const failure = `Failed to ${verb}: ${operation.error}${unresolved(operation)}`;
  return {
    ...about,
    fields: provisionStateFields({ provisionState, targetProvisionState: null, lastError: failure }),
    failure,
  };
}

function powerOutcome(operation: Operation): Outcome {
  const about = { notification: 'power_set', eventType: 'power' } as const;
  const fields = { targetPowerState: null, updatedAt: timestamp() };
  const failure = powerFailure(operation);
  return failure === undefined
    ? { ...about, fields }
    : { ...about, fields: { ...fields, lastError: failure }, failure };
}

function powerFailure({ verb, error, steps }: Operation): string | undefined {
  if (error !== null) return `Failed to change power state to "${verb}": ${error}`;
  const tolerated = steps.find(({ state }) => state === 'failed');
  return tolerated === undefined ? undefined : `${failedTo('detach')}, which was powered off: ${tolerated.error}`;
}

function failedTo(verb: FollowUpVerb): string {
  return `Failed to ${verb} the volumes of the machine`;
}

function followUpOutcome(operation: Operation, node: Node, verb: FollowUpVerb): Outcome {
  const about = { notification: null, eventType: 'storage' } as const;
  const updatedAt = timestamp();
  if (operation.error === null) {
    // Whatever failed before, attaching or detaching, the volumes are where they belong; other errors are not solved by that.
    const isSolved = [failedTo('attach'), failedTo('detach')].some((failed) => node.lastError?.startsWith(failed));
    return { ...about, fields: { updatedAt, ...(isSolved ? { lastError: null } : {}) } };
  }
  const failure = `${failedTo(verb)}, which was found powered ${verb === 'attach' ? 'on' : 'off'}: ${operation.error}`;
  return { ...about, fields: { updatedAt, lastError: failure }, failure };
}

/** What could not be taken back, for the operator. */
function unresolved(operation: Operation): string {
  const left = operation.steps.filter((step) => step.compensation && step.state === 'failed');
  return left.map((step) => ` Taking back also failed at ${step.name}: ${step.error}`).join('');
}

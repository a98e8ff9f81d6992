import {
  derivedBootOptionKey,
  IronbarkError,
  isIronbarkError,
  isSecret,
  Secret,
  type BootChoice,
  type Info,
  type InterfaceKind,
  type Node,
  type Task,
} from '@ironbark/core';
import type { Lock } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import type { ProvisioningService, ProvisionRequest } from '../engine.ts';
import { editInternalInfo } from '../internal-info.ts';
import { findNode, nodeLocked } from '../node-lock.ts';
import { bootChoiceOf } from '../operations/boot.ts';
import { storeOperation, withOperationLock } from '../operations/begin.ts';
import { provisionDefinitions } from '../operations/definitions.ts';
import type { OperationRunner } from '../operations/runner.ts';
import { announceProvisionState, provisionStateFields, setProvisionState } from '../provision-state.ts';
import { isStable, nextState, targetState, type ProvisionVerb } from '../state-machine.ts';
import { createTask } from '../task.ts';
import { deployKinds, validateInterfaces } from '../validation.ts';
import { nodeProtected } from './nodes.ts';

export function createProvisioningService(context: EngineContext, runner: OperationRunner): ProvisioningService {
  return {
    async request(ident, request) {
      const found = await findNode(context, ident);
      checkRequest(found, request);
      await withOperationLock(context, found.uuid, runner, (node, lock) => {
        checkRequest({ ...node, reservation: null }, request);
        return begin(context, runner, node, request, lock);
      });
    },
  };
}

/** What can be refused without the lock. @throws NODE_LOCKED, INVALID_STATE_REQUESTED, NODE_IN_MAINTENANCE, NODE_PROTECTED, UNSUPPORTED. */
function checkRequest(node: Node, { verb, cleanSteps, deploySteps }: ProvisionRequest): void {
  if (node.maintenance && (verb === 'deploy' || verb === 'rebuild')) {
    throw new IronbarkError(
      'NODE_IN_MAINTENANCE',
      `The ${verb} operation can't be performed on node ${node.uuid} because it's in maintenance mode.`,
      {
        hint: 'Unset maintenance first.',
      },
    );
  }
  if (nextState(node.provisionState, verb) === undefined) {
    if (node.reservation !== null) throw nodeLocked(node.uuid, node.reservation);
    throw new IronbarkError(
      'INVALID_STATE_REQUESTED',
      `The requested action "${verb}" can not be performed on node "${node.uuid}" while it is in state "${node.provisionState}".`,
    );
  }
  if (node.protected && (verb === 'undeploy' || verb === 'rebuild')) throw nodeProtected(node);
  const unknownSteps = verb === 'clean' ? cleanSteps : deploySteps;
  if (unknownSteps !== undefined && unknownSteps.length > 0) {
    const kind = verb === 'clean' ? 'clean' : 'deploy';
    throw new IronbarkError(
      'INVALID_PARAMETER',
      `Node ${node.uuid} has no ${kind} steps that can be asked for: none of its interfaces offers one.`,
      {
        hint: `Give an empty list of ${kind} steps.`,
      },
    );
  }
  if (['inspect', 'rescue', 'unrescue', 'service'].includes(verb)) {
    throw new IronbarkError(
      'UNSUPPORTED',
      `Driver ${node.driver} does not support ${verb} (disabled or not implemented).`,
    );
  }
}

/** @returns whether an operation has taken over the lock. */
async function begin(
  context: EngineContext,
  runner: OperationRunner,
  node: Node,
  request: ProvisionRequest,
  lock: Lock,
): Promise<boolean> {
  const { verb, configdrive } = request;
  const provisionState = nextState(node.provisionState, verb) ?? node.provisionState;
  const definition = provisionDefinitions[verb];
  if (definition === undefined || isStable(provisionState)) {
    await stopOrMove(context, node, verb, lock);
    return false;
  }
  runner.assertFreeWorker();
  const task = await validateRequest(context, node, verb);
  const bootsInstance = verb === 'deploy' || verb === 'rebuild' || verb === 'adopt';
  const nodeFields = {
    ...provisionStateFields({ provisionState, targetProvisionState: targetState(verb) ?? null, lastError: null }),
    instanceInfo: {
      ...node.instanceInfo,
      ...(bootsInstance ? await deriveBootOption(context, node, bootChoiceOf(task), lock) : {}),
      ...(configdrive === undefined ? {} : { configdrive: asSecret(configdrive) }),
    },
  };
  const wanted = { verb, steps: definition.steps, parameters: {}, nodeFields };
  const { operation, updated } = await storeOperation(context, node, wanted, lock);
  await announceProvisionState(context, updated, node.provisionState);
  await context.notifier.node('provision_set', 'start', updated);
  void runner.run(operation, lock);
  return true;
}

/** Verbs that need no work: `manage` of a node that is known already, and `abort` of one that waits. */
async function stopOrMove(context: EngineContext, node: Node, verb: ProvisionVerb, lock: Lock): Promise<void> {
  const provisionState = nextState(node.provisionState, verb) ?? node.provisionState;
  const lastError = verb === 'abort' ? `The ${node.provisionState} state was aborted by request.` : null;
  await setProvisionState(context, node, { provisionState, targetProvisionState: null, lastError }, lock);
  await context.notifier.node('provision_set', 'end', { ...node, provisionState, targetProvisionState: null });
}

/** What has to be right before the work begins; the rest shows itself in the steps. */
const validatedKinds: Partial<Readonly<Record<ProvisionVerb, readonly InterfaceKind[]>>> = {
  deploy: deployKinds,
  rebuild: deployKinds,
  adopt: ['power', 'storage', 'boot'],
  undeploy: ['power'],
};

async function validateRequest(context: EngineContext, node: Node, verb: ProvisionVerb): Promise<Task> {
  try {
    const task = await createTask(context, node, { scope: 'engine' });
    await validateInterfaces(task, validatedKinds[verb] ?? []);
    return task;
  } catch (error) {
    if (!isIronbarkError(error)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new IronbarkError(
      error.code,
      `Failed to validate deploy or power info for node ${node.uuid}. Error: ${error.message}`,
      { status: error.status, cause: error, ...hint },
    );
  }
}

/**
 * Notes that `instance_info.boot_option` is derived, where the user has given no order; before it is set, or it would look like an order
 * after a crash. Of an order no such note is left, or it would look derived.
 * @returns what is to be set.
 */
async function deriveBootOption(
  context: EngineContext,
  { uuid, instanceInfo, driverInternalInfo }: Node,
  { option }: BootChoice,
  lock: Lock,
): Promise<Info> {
  const given = instanceInfo['boot_option'] ?? null;
  const isOrdered = given !== null && given !== driverInternalInfo[derivedBootOptionKey];
  const edit = ({ [derivedBootOptionKey]: _before, ...rest }: Info): Info => {
    return isOrdered ? rest : { ...rest, [derivedBootOptionKey]: option };
  };
  await editInternalInfo(context, uuid, edit, lock);
  return isOrdered ? {} : { boot_option: option };
}

/** A config drive holds keys and passwords of the instance, in whatever form it is given. */
function asSecret(configdrive: string | Info | Secret): Secret {
  if (isSecret(configdrive)) return configdrive;
  return Secret.of(typeof configdrive === 'string' ? configdrive : JSON.stringify(configdrive));
}

import { randomUUID } from 'node:crypto';
import {
  IronbarkError,
  interfaceKinds,
  invalidParameter,
  resolveInterfaces,
  timestamp,
  type InterfaceKind,
  type Node,
  type ProvisionState,
  explain,
  type Task,
} from '@ironbark/core';
import type { Fence } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import type { NodeChanges, NodeInput, NodeService } from '../engine.ts';
import { findNode, isUuid, withLock } from '../node-lock.ts';
import { detachVolumes, holdsVolumes } from '../operations/volumes.ts';
import { createTask } from '../task.ts';
import { validateAll } from '../validation.ts';

export function createNodeService(context: EngineContext): NodeService {
  const { store } = context;
  return {
    list: (query) => store.nodes.list(query),
    get: (ident) => findNode(context, ident),
    create: (input) => createNode(context, input),
    async update(ident, edit) {
      const { uuid } = await findNode(context, ident);
      return withLock(context, uuid, async (fence) => {
        const current = await findNode(context, uuid);
        return updateNode(context, current, edit(current), fence);
      });
    },
    async delete(ident) {
      const { uuid } = await findNode(context, ident);
      await withLock(context, uuid, async (fence) => deleteNode(context, await findNode(context, uuid), fence));
    },
    async validate(ident) {
      const node = await findNode(context, ident);
      return validateAll(await createTask(context, node, { scope: 'engine' }));
    },
    async setMaintenance(ident, maintenance, reason) {
      const { uuid } = await findNode(context, ident);
      const changes = {
        maintenance,
        maintenanceReason: maintenance ? reason : null,
        fault: null,
        updatedAt: timestamp(),
      };
      await store.nodes.update(uuid, changes);
    },
    async updateTraits(ident, edit) {
      const { uuid } = await findNode(context, ident);
      await withLock(context, uuid, async (fence) => {
        const traits = [...new Set(edit(await findNode(context, uuid)))].sort();
        return store.nodes.update(uuid, { traits, updatedAt: timestamp() }, fence);
      });
    },
    async history(ident) {
      return store.history.list((await findNode(context, ident)).uuid);
    },
  };
}

async function createNode(context: EngineContext, input: NodeInput): Promise<Node> {
  const { interfaces, uuid = randomUUID(), ...fields } = input;
  checkName(fields.name);
  await checkChassis(context, fields.chassisUuid);
  const node: Node = {
    name: null,
    driverInfo: {},
    driverInternalInfo: {},
    instanceInfo: {},
    instanceUuid: null,
    properties: {},
    extra: {},
    powerState: null,
    targetPowerState: null,
    provisionState: 'enroll',
    targetProvisionState: null,
    provisionUpdatedAt: null,
    lastError: null,
    maintenance: false,
    maintenanceReason: null,
    fault: null,
    bootMode: null,
    secureBoot: null,
    resourceClass: null,
    chassisUuid: null,
    conductorGroup: '',
    owner: null,
    lessee: null,
    description: null,
    protected: false,
    protectedReason: null,
    retired: false,
    retiredReason: null,
    automatedClean: null,
    networkData: {},
    traits: [],
    createdAt: timestamp(),
    updatedAt: null,
    ...fields,
    uuid,
    interfaces: resolveInterfaces(context.registry, input.driver, interfaces ?? {}),
    reservation: null,
    conductor: context.hostname,
  };
  await context.store.nodes.insert(node);
  return node;
}

/** States in which a node may get another driver: nothing of the old one is in use. */
const driverChangeStates: readonly ProvisionState[] = [
  'enroll',
  'inspecting',
  'inspect wait',
  'manageable',
  'available',
];

async function updateNode(context: EngineContext, current: Node, changes: NodeChanges, fence: Fence): Promise<Node> {
  const { interfaces: chosen, ...fields } = changes;
  checkName(fields.name);
  await checkChassis(context, fields.chassisUuid);
  checkInstance(current, fields.instanceUuid);
  checkProtection(current, changes);
  const driver = fields.driver ?? current.driver;
  // A new driver starts from its own defaults; interfaces that the request does not name are kept otherwise.
  const wanted = driver === current.driver ? { ...current.interfaces, ...chosen } : { ...chosen };
  const interfaces =
    chosen === undefined && driver === current.driver
      ? current.interfaces
      : resolveInterfaces(context.registry, driver, wanted);
  const changed = interfaceKinds.filter((kind: InterfaceKind) => interfaces[kind] !== current.interfaces[kind]);
  if (
    (driver !== current.driver || changed.length > 0) &&
    !current.maintenance &&
    !driverChangeStates.includes(current.provisionState)
  ) {
    throw new IronbarkError(
      'INVALID_STATE',
      `Node ${current.uuid} can not have ${driver === current.driver ? changed.map((kind) => `${kind}_interface`).join(', ') : 'driver'} updated unless it is in one of allowed (${driverChangeStates.join(', ')}) states or in maintenance mode.`,
    );
  }
  if ((driver !== current.driver || changed.includes('storage')) && (await holdsVolumes(context, current.uuid))) {
    throw new IronbarkError(
      'INVALID_STATE',
      `Node ${current.uuid} has volumes that its storage interface ${current.interfaces.storage} attached; another one could not release them.`,
      {
        hint: 'Undeploy the node first.',
      },
    );
  }
  return context.store.nodes.update(current.uuid, { ...fields, interfaces, updatedAt: timestamp() }, fence);
}

/** Names go into file names and host names: letters, digits, `.`, `_`, `~`, `-`, as the Bare Metal API allows, and nothing that looks like a uuid. */
function checkName(name: string | null | undefined): void {
  if (name === undefined || name === null) return;
  if (/^[A-Za-z0-9._~-]{1,255}$/.test(name) && !isUuid(name) && !/^\.+$/.test(name)) return;
  throw invalidParameter(`Cannot set node name to ${JSON.stringify(name)}: it is not valid.`, {
    hint: 'Use letters, digits, ".", "_", "~" and "-", at most 255 of them, and nothing that looks like a UUID.',
  });
}

async function checkChassis(context: EngineContext, chassisUuid: string | null | undefined): Promise<void> {
  if (
    chassisUuid === undefined ||
    chassisUuid === null ||
    (await context.store.chassis.find(chassisUuid)) !== undefined
  )
    return;
  throw invalidParameter(`Chassis ${chassisUuid} could not be found.`);
}

function checkInstance(current: Node, instanceUuid: string | null | undefined): void {
  if (
    instanceUuid === undefined ||
    instanceUuid === null ||
    current.instanceUuid === null ||
    current.instanceUuid === instanceUuid
  )
    return;
  throw new IronbarkError(
    'NODE_ASSOCIATED',
    `Node ${current.uuid} is associated with instance ${current.instanceUuid}.`,
    {
      hint: 'Remove the association first.',
    },
  );
}

function checkProtection(current: Node, changes: NodeChanges): void {
  if (changes.protected === true && !['active', 'rescue'].includes(current.provisionState)) {
    throw new IronbarkError(
      'INVALID_STATE',
      `Node ${current.uuid} can only be protected in state active or rescue, it is in state ${current.provisionState}.`,
    );
  }
  if (changes.retired === true && !current.retired && current.provisionState === 'available') {
    throw new IronbarkError('INVALID_STATE', `Node ${current.uuid} can not be retired in state available.`, {
      hint: 'Move it to manageable first.',
    });
  }
}

const deletableStates: readonly ProvisionState[] = ['enroll', 'manageable', 'adopt failed', 'available'];

async function deleteNode(context: EngineContext, node: Node, fence: Fence): Promise<void> {
  if (node.protected) throw nodeProtected(node);
  if (node.instanceUuid !== null && !node.maintenance) {
    throw new IronbarkError('NODE_ASSOCIATED', `Node ${node.uuid} is associated with instance ${node.instanceUuid}.`);
  }
  if (!node.maintenance && !deletableStates.includes(node.provisionState)) {
    throw new IronbarkError(
      'INVALID_STATE',
      `Can not delete node "${node.uuid}" while it is in provision state "${node.provisionState}". Valid provision states to perform deletion are: "${deletableStates.join('", "')}", or set maintenance mode on.`,
    );
  }
  await releaseEverything(context, node, fence);
  await context.store.nodes.delete(node.uuid, fence);
}

/**
 * A node that is deleted while it is in use leaves no attachment and no boot file behind. A machine that still runs keeps its volumes:
 * it has to be powered off first. One whose BMC does not answer is let go, or its record could never be deleted.
 */
async function releaseEverything(context: EngineContext, node: Node, fence: Fence): Promise<void> {
  if (await holdsVolumes(context, node.uuid)) {
    // Of an active node a driver would release them for a time only.
    const leaving: Node = { ...node, provisionState: 'deleting' };
    const task = await createTask(context, leaving, { scope: 'storage', fence });
    if (await isRunning(task.forInterface('power'))) {
      throw new IronbarkError(
        'INVALID_STATE',
        `Node ${node.uuid} cannot be deleted while its machine runs: volumes are attached to it.`,
        {
          hint: 'Undeploy the node, or power it off.',
        },
      );
    }
    await detachVolumes(context, task, fence);
  }
  const task = await createTask(context, node, { scope: 'boot', fence });
  await task.driver.boot.cleanUp(task);
}

async function isRunning(task: Task): Promise<boolean> {
  try {
    return (await task.driver.power.getPowerState(task)) !== 'power off';
  } catch (error) {
    task.log.warn({ error: explain(error) }, 'the power state of a node that is deleted could not be read');
    return false;
  }
}

export function nodeProtected(node: Node): IronbarkError {
  return new IronbarkError(
    'NODE_PROTECTED',
    `Node ${node.uuid} is protected and can not be undeployed, rebuilt or deleted.`,
    {
      ...(node.protectedReason === null ? {} : { details: { reason: node.protectedReason } }),
      hint: 'Unset its protected flag first.',
    },
  );
}

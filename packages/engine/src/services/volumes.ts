import { randomUUID } from 'node:crypto';
import {
  IronbarkError,
  notFound,
  timestamp,
  type Info,
  type Node,
  type VolumeConnector,
  type VolumeTarget,
} from '@ironbark/core';
import type { Fence, Table, VolumeFilter } from '@ironbark/store';
import type { EngineContext } from '../context.ts';
import type { Engine, RecordService } from '../engine.ts';
import { findNode, withLock } from '../node-lock.ts';
import type { CrudAction } from '../notifications.ts';
import { owningNode } from './owning-node.ts';

interface VolumeRecord {
  readonly uuid: string;
  readonly nodeUuid: string;
  readonly extra: Info;
}

interface VolumeChanges {
  readonly nodeUuid?: string;
}

interface VolumeInput extends VolumeChanges {
  readonly uuid?: string;
  readonly nodeUuid: string;
}

interface VolumeKind<Row, Input> {
  /** What a record is called in messages: `volume connector`. */
  readonly label: string;
  readonly table: Table<Row, VolumeFilter>;
  build(input: Input, common: Pick<VolumeConnector, 'uuid' | 'nodeUuid' | 'createdAt' | 'updatedAt'>): Row;
  notify(action: CrudAction, status: 'start' | 'end' | 'error', record: Row): Promise<void>;
  /** Whether a machine uses the record now. */
  isInUse(record: Row): Promise<boolean>;
}

export function createVolumeConnectorService(context: EngineContext): Engine['volumeConnectors'] {
  return createVolumeService(context, {
    label: 'volume connector',
    table: context.store.volumeConnectors,
    build: (input, common): VolumeConnector => ({ extra: {}, ...input, ...common }),
    notify: (action, status, record) => context.notifier.volumeConnector(action, status, record),
    // The storage knows the machine by what its connectors said when the volumes were attached.
    async isInUse({ nodeUuid }) {
      return (await context.store.attachments.list(nodeUuid)).length > 0;
    },
  });
}

export function createVolumeTargetService(context: EngineContext): Engine['volumeTargets'] {
  return createVolumeService(context, {
    label: 'volume target',
    table: context.store.volumeTargets,
    build: (input, common): VolumeTarget => ({ extra: {}, properties: {}, ...input, ...common }),
    notify: (action, status, record) => context.notifier.volumeTarget(action, status, record),
    async isInUse({ uuid, nodeUuid }) {
      return (await context.store.attachments.list(nodeUuid)).some(({ targetUuid }) => targetUuid === uuid);
    },
  });
}

function createVolumeService<
  Row extends VolumeRecord,
  Input extends VolumeInput,
  Changes extends VolumeChanges & Partial<Row>,
>(context: EngineContext, kind: VolumeKind<Row, Input>): RecordService<Row, VolumeFilter, Input, Changes> {
  const { table, label } = kind;
  const get = async (uuid: string): Promise<Row> => {
    const record = await table.find(uuid);
    if (record === undefined) throw notFound(label.replace(/^v/, 'V'), uuid);
    return record;
  };
  const announced = async (action: CrudAction, record: Row, work: () => Promise<Row | void>): Promise<Row> => {
    await kind.notify(action, 'start', record);
    try {
      const result = (await work()) ?? record;
      await kind.notify(action, 'end', result);
      return result;
    } catch (error) {
      await kind.notify(action, 'error', record);
      throw error;
    }
  };
  const assertFree = async (record: Row): Promise<void> => {
    if (!(await kind.isInUse(record))) return;
    throw new IronbarkError(
      'INVALID_STATE_REQUESTED',
      `The ${label} ${record.uuid} can not be changed while volumes are attached to node ${record.nodeUuid}.`,
      {
        hint: 'Undeploy the node, or power it on and off again when a volume could not be detached.',
      },
    );
  };
  const lockedNode = (nodeUuid: string, work: (fence: Fence, node: Node) => Promise<Row>): Promise<Row> => {
    return withLock(context, nodeUuid, async (fence) => work(fence, await findNode(context, nodeUuid)));
  };
  return {
    list: (query) => table.list(query),
    get,
    async create(input) {
      const { uuid: nodeUuid } = await owningNode(context, input.nodeUuid);
      const record = kind.build(input, {
        uuid: input.uuid ?? randomUUID(),
        nodeUuid,
        createdAt: timestamp(),
        updatedAt: null,
      });
      return lockedNode(nodeUuid, () => announced('create', record, () => table.insert(record)));
    },
    async update(uuid, edit) {
      const { nodeUuid } = await get(uuid);
      return lockedNode(nodeUuid, async (fence, node) => {
        assertOff(`${label} update`, node);
        const record = await get(uuid);
        await assertFree(record);
        const changes = edit(record);
        const write = () =>
          announced('update', record, () => table.update(uuid, { ...changes, updatedAt: timestamp() }, fence));
        if (changes.nodeUuid === undefined || changes.nodeUuid === nodeUuid) return write();
        await owningNode(context, changes.nodeUuid);
        return lockedNode(changes.nodeUuid, (_fence, newNode) => {
          assertOff(`${label} update`, newNode);
          return write();
        });
      });
    },
    async delete(uuid) {
      const { nodeUuid } = await get(uuid);
      await lockedNode(nodeUuid, async (fence, node) => {
        const idle = ['enroll', 'manageable', 'adopt failed'].includes(node.provisionState);
        if (!idle) assertOff(`${label} deletion`, node);
        const record = await get(uuid);
        await assertFree(record);
        return announced('delete', record, () => table.delete(uuid, fence));
      });
    },
  };
}

function assertOff(action: string, node: Node): void {
  if (node.powerState === 'power off') return;
  throw new IronbarkError(
    'INVALID_STATE_REQUESTED',
    `The requested action "${action}" can not be performed on node "${node.uuid}" while it is in state "${node.powerState ?? 'None'}".`,
    {
      hint: 'Power the node off first.',
    },
  );
}

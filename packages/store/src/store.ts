import type {
  Chassis,
  InfoValue,
  Node,
  Port,
  ProvisionState,
  Timestamp,
  VolumeAttachment,
  VolumeConnector,
  VolumeTarget,
} from '@ironbark/core';
import type { HistoryEntry, Operation } from './operation.ts';

/** Persistence of one or several conductors. Asynchronous, so that a database server can stand behind it. */
export interface Store {
  readonly nodes: NodeTable;
  readonly ports: Table<Port, PortFilter>;
  readonly chassis: Table<Chassis, ChassisFilter>;
  readonly volumeConnectors: Table<VolumeConnector, VolumeFilter>;
  readonly volumeTargets: Table<VolumeTarget, VolumeFilter>;
  readonly attachments: AttachmentTable;
  readonly operations: OperationTable;
  readonly locks: LockTable;
  readonly journal: JournalTable;
  readonly history: HistoryTable;
  readonly conductors: ConductorTable;
  /**
   * Runs writes that belong together: all of them happen, or none. The work uses the store that it is given, never the outer one, and
   * waits for nothing but the store.
   */
  transaction<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface ListQuery<Filter> {
  readonly filter: Filter;
  /** Field of the record, in camel case. Default: order of creation. */
  readonly sortKey?: string;
  readonly sortDirection?: 'asc' | 'desc';
  /** Default: all. */
  readonly limit?: number;
  /** Uuid of the last record of the previous page. @throws NOT_FOUND when there is no such record. */
  readonly marker?: string;
}

/**
 * A write that belongs to an operation carries the number of its lock. It fails with LOCK_LOST when the lock has meanwhile been
 * given to somebody else.
 */
export interface Fence {
  readonly nodeUuid: string;
  readonly fence: number;
}

export interface Table<Row, Filter> {
  list(query: ListQuery<Filter>): Promise<readonly Row[]>;
  find(uuid: string): Promise<Row | undefined>;
  /** @throws DUPLICATE naming the field that is taken. */
  insert(row: Row): Promise<void>;
  /**
   * Replaces the given fields and nothing else, in one atomic write, and returns the record as it is then.
   * @throws DUPLICATE, NOT_FOUND, LOCK_LOST.
   */
  update(uuid: string, changes: Partial<Row>, fence?: Fence): Promise<Row>;
  delete(uuid: string, fence?: Fence): Promise<void>;
}

export interface NodeTable extends Table<Node, NodeFilter> {
  findByName(name: string): Promise<Node | undefined>;
  /** Of all nodes, in the order of their creation. */
  uuids(): Promise<readonly string[]>;
  countByProvisionState(): Promise<ReadonlyMap<ProvisionState, number>>;
}

export interface NodeFilter {
  readonly instanceUuid?: string;
  readonly associated?: boolean;
  readonly maintenance?: boolean;
  readonly retired?: boolean;
  readonly provisionState?: ProvisionState;
  readonly driver?: string;
  readonly resourceClass?: string;
  readonly fault?: string;
  readonly owner?: string;
  readonly lessee?: string;
  /** Nodes whose owner or lessee is this project. */
  readonly project?: string;
  readonly conductorGroup?: string;
  readonly conductor?: string;
  readonly chassisUuid?: string;
  readonly descriptionContains?: string;
}

export interface PortFilter {
  readonly nodeUuid?: string;
  readonly address?: string;
}

export interface VolumeFilter {
  readonly nodeUuid?: string;
}

export type ChassisFilter = object;

export interface AttachmentTable {
  list(nodeUuid: string): Promise<readonly VolumeAttachment[]>;
  /** Replaces all attachments of the node. */
  replace(nodeUuid: string, attachments: readonly VolumeAttachment[], fence?: Fence): Promise<void>;
}

export interface OperationTable {
  /** @throws LOCK_LOST. */
  insert(operation: Operation, fence: Fence): Promise<void>;
  /** @throws LOCK_LOST. */
  update(uuid: string, changes: Partial<Operation>, fence: Fence): Promise<Operation>;
  find(uuid: string): Promise<Operation | undefined>;
  /** The newest first. */
  listOfNode(nodeUuid: string, limit: number): Promise<readonly Operation[]>;
  /** Operations that are neither finished nor failed. */
  listOpen(): Promise<readonly Operation[]>;
}

export interface Lock extends Fence {
  readonly owner: string;
  readonly expiresAt: Timestamp;
}

export interface LockTable {
  /**
   * Takes the node's lock when it is free, or when another owner's lease has expired; with `takeOver` also when the same owner holds
   * it. An owner's own lock does not expire for itself: it may have slept, and its work goes on. Undefined when it is held.
   * @throws NOT_FOUND when there is no such node.
   */
  acquire(nodeUuid: string, owner: string, leaseMs: number, takeOver?: boolean): Promise<Lock | undefined>;
  find(nodeUuid: string): Promise<Lock | undefined>;
  /** Prolongs all leases of an owner. */
  renew(owner: string, leaseMs: number): Promise<void>;
  /** Releases the owner's locks on nodes without an open operation: short work that a crash interrupted. */
  releaseIdle(owner: string): Promise<void>;
  /** Does nothing when the lock has been lost. */
  release(lock: Fence): Promise<void>;
}

export interface JournalTable {
  get(nodeUuid: string, scope: string, key: string): Promise<InfoValue | undefined>;
  put(nodeUuid: string, scope: string, key: string, value: InfoValue, fence?: Fence): Promise<void>;
  delete(nodeUuid: string, scope: string, key: string, fence?: Fence): Promise<void>;
  list(nodeUuid: string, scope: string): Promise<ReadonlyMap<string, InfoValue>>;
}

export interface HistoryTable {
  append(entry: HistoryEntry): Promise<void>;
  list(nodeUuid: string): Promise<readonly HistoryEntry[]>;
  find(uuid: string): Promise<HistoryEntry | undefined>;
}

export interface Conductor {
  readonly hostname: string;
  readonly conductorGroup: string;
  readonly drivers: readonly string[];
  readonly alive: boolean;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
}

export interface ConductorTable {
  /** Registers the conductor, or says that it is still alive. */
  touch(hostname: string, conductorGroup: string, drivers: readonly string[]): Promise<void>;
  /** Conductors are alive when they were heard of within `aliveWithinMs`. */
  list(aliveWithinMs: number): Promise<readonly Conductor[]>;
}

import type {
  BootDevice,
  BootDeviceSetting,
  BootMode,
  Chassis,
  DriverRegistry,
  Hooks,
  Info,
  InterfaceKind,
  Node,
  Port,
  PowerTarget,
  PropertyDescriptions,
  Secret,
  VolumeConnector,
  VolumeTarget,
} from '@ironbark/core';
import type {
  ChassisFilter,
  Conductor,
  HistoryEntry,
  ListQuery,
  NodeFilter,
  Operation,
  PortFilter,
  VolumeFilter,
} from '@ironbark/store';
import type { EventStream } from './events.ts';
import type { Plan } from './plan.ts';
import type { ProvisionVerb } from './state-machine.ts';
import type { ValidationResults } from './validation.ts';

/**
 * What the API asks of the conductor. Every rule about machines is here or below; callers have checked who asks and what the request
 * looks like. An `ident` of a node is its uuid or its name.
 *
 * Errors that any call may throw: NOT_FOUND, INVALID_PARAMETER, NODE_LOCKED (409 with Ironic's text), INVALID_STATE(_REQUESTED).
 */
export interface Engine {
  readonly hostname: string;
  readonly registry: DriverRegistry;
  readonly hooks: Hooks;
  readonly nodes: NodeService;
  readonly ports: RecordService<Port, PortFilter, PortInput, PortChanges>;
  readonly chassis: RecordService<Chassis, ChassisFilter, ChassisInput, ChassisChanges>;
  readonly volumeConnectors: RecordService<VolumeConnector, VolumeFilter, VolumeConnectorInput, VolumeConnectorChanges>;
  readonly volumeTargets: RecordService<VolumeTarget, VolumeFilter, VolumeTargetInput, VolumeTargetChanges>;
  readonly provisioning: ProvisioningService;
  readonly power: PowerService;
  readonly management: ManagementService;
  readonly vendor: VendorService;
  readonly vifs: VifService;
  readonly drivers: DriverService;
  readonly agents: AgentService;
  readonly operations: OperationService;
  readonly events: EventStream;
  listConductors(): Promise<readonly Conductor[]>;
  /** What was counted since the start, in the text format of Prometheus (version 0.0.4). */
  metrics(): Promise<string>;
  /** What a deployment of the node would do; nothing is touched. */
  plan(ident: string): Promise<Plan>;
  /**
   * A machine says that it could not boot; becomes `last_error`. Authenticated by the token in the boot script alone.
   * @throws NOT_FOUND for a wrong node or token, without telling which.
   */
  reportBootFailure(nodeUuid: string, token: string, report: BootReport): Promise<void>;
}

/** @property errno iPXE's error number in hexadecimal; @property drive the SAN drive that failed. Both come from the network: untrusted. */
export interface BootReport {
  readonly errno?: string;
  readonly drive?: string;
}

export interface RecordService<Row, Filter, Input, Changes> {
  list(query: ListQuery<Filter>): Promise<readonly Row[]>;
  get(uuid: string): Promise<Row>;
  create(input: Input): Promise<Row>;
  /** @param edit computes the changes from the record as it is now, with the node locked. */
  update(uuid: string, edit: (current: Row) => Changes): Promise<Row>;
  delete(uuid: string): Promise<void>;
}

export interface NodeService {
  list(query: ListQuery<NodeFilter>): Promise<readonly Node[]>;
  get(ident: string): Promise<Node>;
  create(input: NodeInput): Promise<Node>;
  /** @param edit computes the changes from the record as it is now, with the node locked. */
  update(ident: string, edit: (current: Node) => NodeChanges): Promise<Node>;
  delete(ident: string): Promise<void>;
  validate(ident: string): Promise<ValidationResults>;
  setMaintenance(ident: string, maintenance: boolean, reason: string | null): Promise<void>;
  /** @param edit computes the traits from those that the node has, with the node locked. */
  updateTraits(ident: string, edit: (current: Node) => readonly string[]): Promise<void>;
  history(ident: string): Promise<readonly HistoryEntry[]>;
}

/** Fields that a client may set. Interfaces that are null or missing get the default. Secrets in free-form objects are wrapped already. */
export interface NodeInput extends NodeChanges {
  readonly uuid?: string;
  readonly driver: string;
}

export interface NodeChanges {
  readonly name?: string | null;
  readonly driver?: string;
  readonly driverInfo?: Info;
  readonly instanceInfo?: Info;
  readonly instanceUuid?: string | null;
  readonly properties?: Info;
  readonly extra?: Info;
  readonly interfaces?: Partial<Readonly<Record<InterfaceKind, string | null>>>;
  readonly resourceClass?: string | null;
  readonly chassisUuid?: string | null;
  readonly conductorGroup?: string;
  readonly owner?: string | null;
  readonly lessee?: string | null;
  readonly description?: string | null;
  readonly protected?: boolean;
  readonly protectedReason?: string | null;
  readonly retired?: boolean;
  readonly retiredReason?: string | null;
  readonly automatedClean?: boolean | null;
  readonly networkData?: Info;
}

export interface PortChanges {
  readonly address?: string;
  readonly pxeEnabled?: boolean;
  readonly extra?: Info;
  readonly localLinkConnection?: Info;
  readonly physicalNetwork?: string | null;
  readonly isSmartnic?: boolean;
  readonly nodeUuid?: string;
}

export interface PortInput extends PortChanges {
  readonly uuid?: string;
  readonly nodeUuid: string;
  readonly address: string;
}

export interface ChassisChanges {
  readonly description?: string | null;
  readonly extra?: Info;
}

export interface ChassisInput extends ChassisChanges {
  readonly uuid?: string;
}

export interface VolumeConnectorChanges {
  readonly type?: string;
  readonly connectorId?: string;
  readonly nodeUuid?: string;
  readonly extra?: Info;
}

export interface VolumeConnectorInput extends VolumeConnectorChanges {
  readonly uuid?: string;
  readonly nodeUuid: string;
  readonly type: string;
  readonly connectorId: string;
}

export interface VolumeTargetChanges {
  readonly volumeType?: string;
  readonly bootIndex?: number;
  readonly volumeId?: string;
  readonly projectId?: string | null;
  readonly properties?: Info;
  readonly nodeUuid?: string;
  readonly extra?: Info;
}

export interface VolumeTargetInput extends VolumeTargetChanges {
  readonly uuid?: string;
  readonly nodeUuid: string;
  readonly volumeType: string;
  readonly bootIndex: number;
  readonly volumeId: string;
}

export interface ProvisionRequest {
  readonly verb: ProvisionVerb;
  /** A config drive as the client gave it: base64 text, URL, or object. */
  readonly configdrive?: string | Info | Secret;
  readonly cleanSteps?: readonly Info[];
  readonly deploySteps?: readonly Info[];
}

export interface ProvisioningService {
  /** Returns when the operation is stored and the node is locked: the new provision state is visible then. */
  request(ident: string, request: ProvisionRequest): Promise<void>;
}

export interface PowerService {
  /** Returns when the operation is stored and the node is locked. @param timeoutSeconds of soft actions; null: the configured one. */
  request(ident: string, target: PowerTarget, timeoutSeconds: number | null): Promise<void>;
}

export interface ManagementService {
  supportedBootDevices(ident: string): Promise<readonly BootDevice[]>;
  getBootDevice(ident: string): Promise<BootDeviceSetting>;
  setBootDevice(ident: string, device: string, persistent: boolean): Promise<void>;
  setBootMode(ident: string, mode: BootMode): Promise<void>;
  /** Counts from the next start on. */
  setSecureBoot(ident: string, enabled: boolean): Promise<void>;
}

export interface VendorMethodDescription {
  readonly httpMethods: readonly string[];
  readonly async: boolean;
  readonly description: string;
}

export interface VendorService {
  methods(ident: string): Promise<Readonly<Record<string, VendorMethodDescription>>>;
  /** Runs a method; an asynchronous one has only begun when this returns. @throws INVALID_PARAMETER for an unknown method or HTTP verb. */
  call(
    ident: string,
    method: string,
    httpMethod: string,
    body: unknown,
  ): Promise<{ readonly async: boolean; readonly result: unknown }>;
}

export interface VifService {
  list(ident: string): Promise<readonly string[]>;
  attach(ident: string, vifId: string): Promise<void>;
  detach(ident: string, vifId: string): Promise<void>;
}

export interface DriverDescription {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly enabled: Readonly<Record<InterfaceKind, readonly string[]>>;
  readonly defaults: Readonly<Record<InterfaceKind, string | null>>;
}

export interface DriverService {
  list(): Promise<readonly DriverDescription[]>;
  get(name: string): Promise<DriverDescription>;
  properties(name: string): Promise<PropertyDescriptions>;
}

export interface AgentLookup {
  readonly node: Node;
  readonly heartbeatTimeoutSeconds: number;
  /** Revealed once, at the first lookup; masked afterwards. */
  readonly agentToken: Secret;
  readonly agentTokenIsNew: boolean;
}

export interface Heartbeat {
  readonly callbackUrl: string;
  readonly agentVersion?: string;
  readonly agentToken?: string;
  readonly agentVerifyCa?: string;
  readonly agentStatus?: string;
  readonly agentStatusMessage?: string;
}

export interface AgentService {
  /** @throws NOT_FOUND when no node matches or its state does not expect an agent. */
  lookup(query: { readonly nodeUuid?: string; readonly addresses?: readonly string[] }): Promise<AgentLookup>;
  heartbeat(nodeUuid: string, heartbeat: Heartbeat): Promise<void>;
}

export interface OperationService {
  /** The newest first. */
  list(ident: string, limit: number): Promise<readonly Operation[]>;
  get(uuid: string): Promise<Operation>;
}

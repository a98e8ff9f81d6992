import { randomUUID } from 'node:crypto';
import {
  createHooks,
  interfaceKinds,
  invalidParameter,
  IronbarkError,
  notFound,
  Secret,
  timestamp,
  type Chassis,
  type Info,
  type InterfaceKind,
  type Node,
  type Port,
  type ProvisionState,
  type VolumeConnector,
  type VolumeTarget,
} from '@ironbark/core';
import type {
  DriverDescription,
  Engine,
  EngineEvent,
  NodeChanges,
  Plan,
  ProvisionVerb,
  RecordService,
} from '@ironbark/engine';
import type { HistoryEntry, ListQuery, NodeFilter, Operation } from '@ironbark/store';

const host = 'fake-conductor';
const defaults: Record<InterfaceKind, string> = {
  power: 'fake',
  management: 'fake',
  boot: 'ipxe',
  storage: 'noop',
  deploy: 'volume',
  vendor: 'fake',
  network: 'noop',
};
const driver: DriverDescription = {
  name: 'fake-hardware',
  hosts: [host],
  enabled: Object.fromEntries(
    interfaceKinds.map((kind) => [kind, kind === 'storage' ? ['noop', 'external'] : [defaults[kind]]]),
  ) as Record<InterfaceKind, string[]>,
  defaults,
};

/** States that a verb leads to at once: nothing here takes time. */
const outcomes: Readonly<Partial<Record<ProvisionVerb, ProvisionState>>> = {
  manage: 'manageable',
  provide: 'available',
  deploy: 'active',
  rebuild: 'active',
  undeploy: 'available',
  adopt: 'active',
};

/** An engine whose records are maps in memory. What it was asked to do is in `calls`. */
export class FakeEngine {
  readonly nodeRows = new Map<string, Node>();
  readonly calls: unknown[][] = [];
  readonly listeners = new Set<(event: EngineEvent) => void>();
  readonly subscriptions: unknown[] = [];
  readonly historyRows: HistoryEntry[] = [];
  readonly operationRows: Operation[] = [];
  readonly bootToken = 'right-token';
  agentTokenIsNew = true;
  plan: Plan | undefined;
  /** Thrown by the next call that reaches a machine. */
  failure: Error | undefined;

  readonly ports = new Records<Port>('Port', this.nodeRows, {
    pxeEnabled: true,
    extra: {},
    internalInfo: {},
    localLinkConnection: {},
    physicalNetwork: null,
    isSmartnic: false,
  });
  readonly chassis = new Records<Chassis>('Chassis', undefined, { description: null, extra: {} });
  readonly volumeConnectors = new Records<VolumeConnector>('Volume connector', this.nodeRows, { extra: {} });
  readonly volumeTargets = new Records<VolumeTarget>('Volume target', this.nodeRows, { extra: {}, properties: {} });

  asEngine(): Engine {
    return {
      hostname: host,
      registry: undefined as never,
      hooks: createHooks(),
      nodes: this.#nodeService(),
      ports: this.ports,
      chassis: this.chassis,
      volumeConnectors: this.volumeConnectors,
      volumeTargets: this.volumeTargets,
      provisioning: {
        request: async (ident, request) => {
          this.#act('provision', ident, request);
          const state = outcomes[request.verb];
          if (state !== undefined) this.change(ident, { provisionState: state, provisionUpdatedAt: timestamp() });
        },
      },
      power: {
        request: async (ident, target, timeout) => {
          this.#act('power', ident, target, timeout);
          this.change(ident, {
            powerState: target === 'power off' || target === 'soft power off' ? 'power off' : 'power on',
          });
        },
      },
      management: {
        supportedBootDevices: async (ident) => (this.#act('supported', ident), ['pxe', 'disk']),
        getBootDevice: async (ident) => (this.#act('getBootDevice', ident), { bootDevice: 'pxe', persistent: false }),
        setBootDevice: async (ident, device, persistent) => this.#act('setBootDevice', ident, device, persistent),
        setBootMode: async (ident, mode) => this.#act('setBootMode', ident, mode),
        setSecureBoot: async (ident, enabled) => this.#act('setSecureBoot', ident, enabled),
      },
      vendor: {
        methods: async () => ({ echo: { httpMethods: ['POST'], async: false, description: 'Says it again' } }),
        call: async (ident, method, httpMethod, body) => {
          this.#act('vendor', ident, method, httpMethod, body);
          if (method !== 'echo' && method !== 'later') throw invalidParameter(`No method ${method}.`);
          return { async: method === 'later', result: body };
        },
      },
      vifs: {
        list: async () => ['vif-1'],
        attach: async (ident, vif) => this.#act('attachVif', ident, vif),
        detach: async (ident, vif) => this.#act('detachVif', ident, vif),
      },
      drivers: {
        list: async () => [driver],
        get: async (name) => {
          if (name !== driver.name) throw notFound('The driver', name);
          return driver;
        },
        properties: async (name) => {
          if (name !== driver.name) throw notFound('The driver', name);
          return {
            B1: { description: 'Address of the BMC.', required: true },
            B2: { description: 'Certificates to trust.' },
          };
        },
      },
      agents: {
        lookup: async (query) => {
          const port = [...this.ports.rows.values()].find((row) => query.addresses?.includes(row.address));
          const node = this.nodeRows.get(query.nodeUuid ?? port?.nodeUuid ?? '');
          if (node === undefined) throw notFound('Node', query.nodeUuid ?? 'with these addresses');
          const agentToken = Secret.of('agent-token');
          return { node, heartbeatTimeoutSeconds: 300, agentToken, agentTokenIsNew: this.agentTokenIsNew };
        },
        heartbeat: async (uuid, heartbeat) => this.#act('heartbeat', uuid, heartbeat),
      },
      operations: {
        list: async (ident, limit) => {
          const { uuid } = this.node(ident);
          return this.operationRows.filter((row) => row.nodeUuid === uuid).slice(0, limit);
        },
        get: async (uuid) => {
          const row = this.operationRows.find((one) => one.uuid === uuid);
          if (row === undefined) throw notFound('Operation', uuid);
          return row;
        },
      },
      events: {
        subscribe: (listener, options) => {
          this.subscriptions.push(options);
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
      },
      metrics: async () => '# HELP ironbark_nodes Nodes.\n',
      listConductors: async () => [
        {
          hostname: host,
          conductorGroup: '',
          drivers: ['fake-hardware'],
          alive: true,
          createdAt: '2026-01-01T00:00:00.000000+00:00',
          updatedAt: '2026-01-01T00:00:00.000000+00:00',
        },
      ],
      plan: async (ident) =>
        this.plan ?? {
          nodeUuid: this.node(ident).uuid,
          problems: [],
          warnings: [],
          steps: [{ name: 'power.on', summary: 'switch the machine on' }],
          storage: [{ target: 'vol-0', action: 'none' }],
          bootSource: 'iscsi',
          firmware: null,
          artifacts: null,
        },
      reportBootFailure: async (uuid, token, report) => {
        if (!this.nodeRows.has(uuid) || token !== this.bootToken) throw notFound('Node', uuid);
        this.calls.push(['bootReport', uuid, report]);
      },
    };
  }

  node(ident: string): Node {
    const node = this.nodeRows.get(ident) ?? [...this.nodeRows.values()].find(({ name }) => name === ident);
    if (node === undefined) throw notFound('Node', ident);
    return node;
  }

  change(ident: string, changes: Partial<Node>): Node {
    const node = { ...this.node(ident), ...changes, updatedAt: timestamp() };
    this.nodeRows.set(node.uuid, node);
    return node;
  }

  #act(...call: readonly [string, string, ...unknown[]]): void {
    this.node(call[1]);
    this.calls.push([...call]);
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #nodeService(): Engine['nodes'] {
    return {
      list: async (query) =>
        page(
          [...this.nodeRows.values()].filter((node) => matches(node, query.filter)),
          query,
        ),
      get: async (ident) => this.node(ident),
      create: async (input) => {
        if (input.driver !== driver.name)
          throw new IronbarkError('INVALID_PARAMETER', `No valid host was found. Reason: ${input.driver}.`, {
            status: 404,
          });
        const node = newNode(input.uuid ?? randomUUID(), input);
        if (
          [...this.nodeRows.values()].some(
            ({ uuid, name }) => uuid === node.uuid || (name !== null && name === node.name),
          )
        )
          throw new IronbarkError('DUPLICATE', `A node with name ${node.name} already exists.`);
        this.nodeRows.set(node.uuid, node);
        return node;
      },
      update: async (ident, edit) => {
        const current = this.node(ident);
        return this.change(ident, merge(current, edit(current)));
      },
      delete: async (ident) => void this.nodeRows.delete(this.node(ident).uuid),
      validate: async () =>
        Object.fromEntries(interfaceKinds.map((kind) => [kind, { result: true }])) as Awaited<
          ReturnType<Engine['nodes']['validate']>
        >,
      setMaintenance: async (ident, maintenance, reason) =>
        void this.change(ident, { maintenance, maintenanceReason: reason }),
      updateTraits: async (ident, edit) =>
        void this.change(ident, { traits: [...new Set(edit(this.node(ident)))].sort() }),
      history: async (ident) => {
        const { uuid } = this.node(ident);
        return this.historyRows.filter((row) => row.nodeUuid === uuid);
      },
    };
  }
}

function merge(node: Node, changes: NodeChanges): Partial<Node> {
  const { interfaces = {}, ...rest } = changes;
  const chosen = Object.entries(interfaces).map(([kind, name]) => [kind, name ?? defaults[kind as InterfaceKind]]);
  return { ...rest, interfaces: { ...node.interfaces, ...Object.fromEntries(chosen) } };
}

export function newNode(uuid: string, changes: NodeChanges = {}): Node {
  const node: Node = {
    uuid,
    name: null,
    driver: driver.name,
    driverInfo: {},
    driverInternalInfo: {},
    instanceInfo: {},
    instanceUuid: null,
    properties: {},
    extra: {},
    interfaces: defaults,
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
    reservation: null,
    conductor: host,
    createdAt: timestamp(),
    updatedAt: null,
  };
  return { ...node, ...merge(node, changes) };
}

function matches(node: Node, filter: NodeFilter): boolean {
  const { project, associated, descriptionContains, ...equal } = filter;
  if (project !== undefined && node.owner !== project && node.lessee !== project) return false;
  if (associated !== undefined && (node.instanceUuid !== null) !== associated) return false;
  if (descriptionContains !== undefined && !node.description?.includes(descriptionContains)) return false;
  return Object.entries(equal).every(([key, value]) => node[key as keyof Node] === value);
}

function page<Row extends { readonly uuid: string }>(rows: readonly Row[], query: ListQuery<unknown>): readonly Row[] {
  const { sortKey, sortDirection, marker, limit } = query;
  const sorted = sortKey === undefined ? rows : rows.toSorted((a, b) => compareBy(sortKey, a, b));
  const ordered = sortDirection === 'desc' ? sorted.toReversed() : sorted;
  const start = marker === undefined ? 0 : ordered.findIndex(({ uuid }) => uuid === marker) + 1;
  if (marker !== undefined && start === 0) throw notFound('The marker', marker);
  return ordered.slice(start, limit === undefined ? undefined : start + limit);
}

function compareBy(key: string, a: object, b: object): number {
  const text = (row: object) => JSON.stringify((row as Info)[key] ?? null);
  return text(a).localeCompare(text(b));
}

class Records<Row extends { readonly uuid: string }> implements RecordService<Row, object, Partial<Row>, Partial<Row>> {
  readonly rows = new Map<string, Row>();
  /** Thrown by the next change of a record. */
  failure: Error | undefined;
  readonly #label: string;
  readonly #nodes: ReadonlyMap<string, Node> | undefined;
  readonly #defaults: Partial<Row>;

  constructor(label: string, nodes: ReadonlyMap<string, Node> | undefined, defaultFields: Partial<Row>) {
    this.#label = label;
    this.#nodes = nodes;
    this.#defaults = defaultFields;
  }

  async list(query: ListQuery<object>): Promise<readonly Row[]> {
    const wanted = Object.entries(query.filter);
    return page(
      [...this.rows.values()].filter((row) => wanted.every(([key, value]) => row[key as keyof Row] === value)),
      query,
    );
  }

  async get(uuid: string): Promise<Row> {
    const row = this.rows.get(uuid);
    if (row === undefined) throw notFound(this.#label, uuid);
    return row;
  }

  async create(input: Partial<Row>): Promise<Row> {
    const row = {
      ...this.#defaults,
      uuid: randomUUID(),
      createdAt: timestamp(),
      updatedAt: null,
      ...input,
    } as unknown as Row;
    this.#checkNode(row);
    this.rows.set(row.uuid, row);
    return row;
  }

  async update(uuid: string, edit: (current: Row) => Partial<Row>): Promise<Row> {
    const current = await this.get(uuid);
    this.#fail();
    const row = { ...current, ...edit(current), updatedAt: timestamp() };
    this.#checkNode(row);
    this.rows.set(uuid, row);
    return row;
  }

  async delete(uuid: string): Promise<void> {
    await this.get(uuid);
    this.#fail();
    this.rows.delete(uuid);
  }

  #fail(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #checkNode(row: Row): void {
    const nodeUuid = (row as { nodeUuid?: string }).nodeUuid;
    if (this.#nodes !== undefined && !this.#nodes.has(nodeUuid ?? '')) throw notFound('Node', String(nodeUuid));
  }
}

import {
  Secret,
  type Info,
  type Node,
  type Port,
  type Timestamp,
  type VolumeConnector,
  type VolumeTarget,
} from '@ironbark/core';

const createdAt: Timestamp = '2026-01-02T03:04:05.000000+00:00';

/** A uuid that is the same in every run. @param family groups the records of one kind. */
export function fixedUuid(family: number, number = 0): string {
  const digits = (value: number, length: number) => value.toString(16).padStart(length, '0');
  return `${digits(family, 8)}-0000-4000-8000-${digits(number, 12)}`;
}

/** A node that is available and powered off; every field can be given. */
export function createNode(overrides: Partial<Node> = {}): Node {
  return {
    uuid: fixedUuid(1),
    name: 'node-0',
    driver: 'fake-hardware',
    driverInfo: {},
    driverInternalInfo: {},
    instanceInfo: {},
    instanceUuid: null,
    properties: {},
    extra: {},
    interfaces: {
      power: 'fake',
      management: 'fake',
      boot: 'fake',
      storage: 'fake',
      deploy: 'fake',
      vendor: 'fake',
      network: 'fake',
    },
    powerState: 'power off',
    targetPowerState: null,
    provisionState: 'available',
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
    conductor: null,
    createdAt,
    updatedAt: null,
    ...overrides,
  };
}

export function createPort(overrides: Partial<Port> = {}): Port {
  return {
    uuid: fixedUuid(2),
    nodeUuid: fixedUuid(1),
    address: '52:54:00:00:00:01',
    pxeEnabled: true,
    extra: {},
    internalInfo: {},
    localLinkConnection: {},
    physicalNetwork: null,
    isSmartnic: false,
    createdAt,
    updatedAt: null,
    ...overrides,
  };
}

/** A connector of type `iqn`. */
export function createVolumeConnector(overrides: Partial<VolumeConnector> = {}): VolumeConnector {
  return {
    uuid: fixedUuid(3),
    nodeUuid: fixedUuid(1),
    type: 'iqn',
    connectorId: 'iqn.2017-08.org.example:node-0',
    extra: {},
    createdAt,
    updatedAt: null,
    ...overrides,
  };
}

/** A target of type `iscsi` with one path and CHAP. */
export function createVolumeTarget(overrides: Partial<VolumeTarget> = {}): VolumeTarget {
  return {
    uuid: fixedUuid(4),
    nodeUuid: fixedUuid(1),
    volumeType: 'iscsi',
    bootIndex: 0,
    volumeId: fixedUuid(5),
    properties: createIscsiProperties(),
    extra: {},
    createdAt,
    updatedAt: null,
    ...overrides,
  };
}

/** Properties of an iSCSI target; credentials are secrets, as the API makes them. */
export function createIscsiProperties(overrides: Info = {}): Info {
  return {
    target_portal: '192.0.2.10:3260',
    target_iqn: 'iqn.2010-10.org.example:volume-0',
    target_lun: 0,
    auth_method: 'CHAP',
    auth_username: 'chapuser0',
    auth_password: Secret.of('ChapPassword0'),
    ...overrides,
  };
}

/** The records of one node, as a task holds them. */
export interface NodeRecords {
  readonly node: Node;
  readonly ports: readonly Port[];
  readonly volumeConnectors: readonly VolumeConnector[];
  /** In the order of their boot index. */
  readonly volumeTargets: readonly VolumeTarget[];
}

export interface NodeRecordsOptions {
  /** Tells several nodes apart: every identifier and address follows from it. Default: 0. */
  readonly number?: number;
  /** How many volume targets the node has; the first is the boot volume. Default: 1. */
  readonly volumes?: number;
  readonly node?: Partial<Node>;
}

/** A node with two ports, an `iqn` connector and iSCSI targets. Sorting targets by any identifier reverses their boot order. */
export function createNodeRecords(options: NodeRecordsOptions = {}): NodeRecords {
  const { number = 0, volumes = 1 } = options;
  const uuid = fixedUuid(1, number);
  const name = `node-${number}`;
  const node = createNode({ uuid, name, properties: { capabilities: 'iscsi_boot:True' }, ...options.node });
  const ports = [1, 2].map((card) => {
    const address = `52:54:00:00:${String(number).padStart(2, '0')}:0${card}`;
    return createPort({ uuid: fixedUuid(2, number * 16 + card), nodeUuid: node.uuid, address });
  });
  const connector = createVolumeConnector({
    uuid: fixedUuid(3, number),
    nodeUuid: node.uuid,
    connectorId: `iqn.2017-08.org.example:${name}`,
  });
  const volumeTargets = Array.from({ length: volumes }, (_, bootIndex) => {
    const descending = number * 16 + 15 - bootIndex;
    return createVolumeTarget({
      uuid: fixedUuid(4, descending),
      nodeUuid: node.uuid,
      bootIndex,
      volumeId: fixedUuid(5, descending),
      properties: createIscsiProperties({
        target_portal: `192.0.2.${10 + number}:${3260 + bootIndex}`,
        target_iqn: `iqn.2010-10.org.example:volume-${number}-${bootIndex}`,
        target_lun: bootIndex,
        auth_username: `chapuser${number}x${bootIndex}`,
        auth_password: Secret.of(`ChapPassword${number}x${bootIndex}`),
      }),
    });
  });
  return { node, ports, volumeConnectors: [connector], volumeTargets };
}

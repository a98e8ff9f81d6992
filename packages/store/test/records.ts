import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestamp, type Node, type VolumeTarget } from '@ironbark/core';
import { onTestFinished } from 'vitest';
import { openSqliteStore, type Operation, type Store } from '../src/index.ts';

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ironbark-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function temporaryStore(directory = temporaryDirectory()): Promise<Store> {
  const store = await openSqliteStore({ file: join(directory, 'ironbark.db'), keyFile: join(directory, 'secret.key') });
  let open = true;
  onTestFinished(async () => {
    if (open) await store.close();
  });
  return {
    ...store,
    async close() {
      open = false;
      await store.close();
    },
  };
}

export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export function node(number: number, changes: Partial<Node> = {}): Node {
  return {
    uuid: uuid(number),
    name: `node-${number}`,
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
      storage: 'noop',
      deploy: 'fake',
      vendor: 'no-vendor',
      network: 'noop',
    },
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
    conductor: 'conductor-1',
    createdAt: timestamp(),
    updatedAt: null,
    ...changes,
  };
}

export function target(number: number, nodeUuid: string, changes: Partial<VolumeTarget> = {}): VolumeTarget {
  return {
    uuid: uuid(number),
    nodeUuid,
    volumeType: 'iscsi',
    bootIndex: 0,
    volumeId: `volume-${number}`,
    properties: {},
    extra: {},
    createdAt: timestamp(),
    updatedAt: null,
    ...changes,
  };
}

export function operation(number: number, nodeUuid: string): Operation {
  return {
    uuid: uuid(number),
    nodeUuid,
    verb: 'deploy',
    state: 'running',
    steps: [],
    parameters: {},
    error: null,
    createdAt: timestamp(),
    finishedAt: null,
  };
}

import { timestamp, type VolumeConnector, type VolumeTarget } from '../src/index.ts';

const nodeUuid = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123';
const createdAt = timestamp(new Date(0));
const updatedAt = null;

/** Connectors in the order of their creation. */
export function connectors(...records: readonly (readonly [type: string, connectorId: string])[]): VolumeConnector[] {
  return records.map(([type, connectorId], index) => {
    return { uuid: `connector-${index + 1}`, nodeUuid, type, connectorId, extra: {}, createdAt, updatedAt };
  });
}

export function volumeTarget(bootIndex: number, volumeType = 'iscsi'): VolumeTarget {
  const uuid = `target-${bootIndex}`;
  return {
    uuid,
    nodeUuid,
    volumeType,
    bootIndex,
    volumeId: `volume-${bootIndex}`,
    properties: {},
    extra: {},
    createdAt,
    updatedAt,
  };
}

import { parseVolumeConnection, type VolumeConnection, type VolumeTarget } from '@ironbark/core';
import type { ConnectionInfo } from '@ironbark/openstack';
import { cinderFailure } from './failure.ts';

/**
 * What Cinder says about the connection of a target's volume.
 * @throws INVALID_PARAMETER when it is malformed; STORAGE_FAILURE when it is of another type than the target.
 */
export function parseConnection(target: VolumeTarget, { driverVolumeType, data }: ConnectionInfo): VolumeConnection {
  const { volumeId, volumeType, uuid } = target;
  const connection = parseVolumeConnection(
    driverVolumeType,
    data,
    `the connection that Cinder gave for volume ${volumeId}`,
  );
  if (connection.kind === volumeType) return connection;
  throw cinderFailure(
    `Volume target ${uuid} is of type ${volumeType}, but Cinder exports its volume as ${connection.kind}.`,
    'Create the target anew with the type that Cinder uses.',
  );
}

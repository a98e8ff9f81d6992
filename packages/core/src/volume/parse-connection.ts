import { invalidParameter } from '../errors.ts';
import type { Info } from '../info.ts';
import type { VolumeConnection } from './connection.ts';
import { parseFibreChannel } from './parse-fibre-channel.ts';
import { parseIscsi } from './parse-iscsi.ts';
import { parseNfs } from './parse-nfs.ts';

/**
 * Parses what a storage service or an operator says about a connection, once and strictly.
 * @param volumeType `iscsi`, `fibre_channel` or `nfs`, exactly so (Cinder's `driver_volume_type`, a target's `volume_type`).
 * @param where names the record in error messages.
 * @throws INVALID_PARAMETER naming the key and the record; values of secrets are never quoted.
 */
export function parseVolumeConnection(volumeType: string, properties: Info, where: string): VolumeConnection {
  switch (volumeType) {
    case 'iscsi':
      return parseIscsi(properties, where);
    case 'fibre_channel':
      return parseFibreChannel(properties, where);
    case 'nfs':
      return parseNfs(properties, where);
    default:
      throw invalidParameter(`The volume type of ${where} is ${JSON.stringify(volumeType)}, which is not supported.`, {
        hint: 'Use "iscsi", "fibre_channel" or "nfs", in lower case.',
      });
  }
}

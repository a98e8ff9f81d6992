import { invalidParameter } from '../errors.ts';
import type { VolumeConnector } from '../model/volume.ts';
import { parseWwn } from './parse-fibre-channel.ts';
import { isIscsiName } from './parse-iscsi.ts';

/** How a node presents itself to storage: the one source of what storage is told and of what the machine is told. */
export interface Initiator {
  /** The iSCSI name, from the first `iqn` connector; null without one. */
  readonly iqn: string | null;
  readonly ips: readonly string[];
  /** World wide port and node names, 16 lower-case digits each. */
  readonly wwpns: readonly string[];
  readonly wwnns: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Collects a node's volume connectors, in the order in which they were created.
 * @throws INVALID_PARAMETER for an `iqn`, `wwpn` or `wwnn` connector whose identifier is malformed, naming the connector.
 */
export function initiatorOf(connectors: readonly VolumeConnector[]): Initiator {
  const idsOf = (type: string) => connectors.filter((connector) => connector.type === type);
  const iqns = idsOf('iqn').map((connector) => {
    if (isIscsiName(connector.connectorId)) return connector.connectorId;
    throw invalidParameter(
      `Volume connector ${connector.uuid} of type iqn holds ${JSON.stringify(connector.connectorId)}, which is no iSCSI name.`,
      {
        hint: 'Use a name like "iqn.2017-08.org.example:node-1".',
      },
    );
  });
  const [iqn = null, ...ignored] = iqns;
  const warnings = ignored.map(
    (other) => `Volume connector iqn ${other} is not used: ${iqn} was created first, and a node has one iSCSI name.`,
  );
  return {
    iqn,
    ips: idsOf('ip').map((connector) => connector.connectorId),
    wwpns: wwnsOf(idsOf('wwpn')),
    wwnns: wwnsOf(idsOf('wwnn')),
    warnings,
  };
}

function wwnsOf(connectors: readonly VolumeConnector[]): readonly string[] {
  return connectors.map((connector) => {
    const wwn = parseWwn(connector.connectorId);
    if (wwn !== undefined) return wwn;
    throw invalidParameter(
      `Volume connector ${connector.uuid} of type ${connector.type} holds ${JSON.stringify(connector.connectorId)}, which is no world wide name.`,
      {
        hint: 'Use 16 hexadecimal digits, with or without colons.',
      },
    );
  });
}

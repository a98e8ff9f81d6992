import { createNode, createVolumeConnector } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { connectorOf } from '../src/connector.ts';

const node = createNode();
const host = node.uuid;
const [iqnA, iqnB] = ['iqn.2017-08.org.example:a', 'iqn.2017-08.org.example:b'] as const;
const [portA, portB, nodeA, nodeB] = ['10000090fa000001', '10000090fa000002', '20000090fa000001', '20000090fa000002'];

type Records = readonly (readonly [type: string, connectorId: string])[];

function connectors(records: Records) {
  return records.map(([type, connectorId], index) => {
    return createVolumeConnector({ uuid: `connector-${index}`, type, connectorId });
  });
}

describe('a node presents itself to Cinder', () => {
  it.each<[string, Records, object]>([
    ['by its iSCSI name', [['iqn', iqnA]], { initiator: iqnA, host }],
    [
      'by iSCSI name and address',
      [
        ['iqn', iqnA],
        ['ip', '10.0.0.9'],
      ],
      { initiator: iqnA, ip: '10.0.0.9', host },
    ],
    [
      'without what storage does not use',
      [
        ['iqn', iqnA],
        ['mac', '52:54:00:00:00:01'],
      ],
      { initiator: iqnA, host },
    ],
    [
      'by the iSCSI name that was created first',
      [
        ['iqn', iqnA],
        ['iqn', iqnB],
      ],
      { initiator: iqnA, host },
    ],
    [
      'with several paths when it has several addresses',
      [
        ['iqn', iqnA],
        ['ip', '10.0.0.9'],
        ['ip', '10.0.1.9'],
      ],
      { initiator: iqnA, ip: '10.0.0.9', host, multipath: true },
    ],
    [
      'by its world wide names, with several paths',
      [
        ['wwpn', portA ?? ''],
        ['wwpn', portB ?? ''],
        ['wwnn', nodeA ?? ''],
        ['wwnn', nodeB ?? ''],
      ],
      { wwpns: [portA, portB], wwnns: [nodeA, nodeB], host, multipath: true },
    ],
    ['by one world wide port name', [['wwpn', portA ?? '']], { wwpns: [portA], host }],
    [
      'by all it has',
      [
        ['wwpn', portA ?? ''],
        ['iqn', iqnA],
        ['wwnn', nodeA ?? ''],
      ],
      { initiator: iqnA, wwpns: [portA], wwnns: [nodeA], host },
    ],
    [
      'by exact types only',
      [
        ['xiqn', iqnB],
        ['iqn', iqnA],
        ['iscsi-ip', '10.0.0.9'],
      ],
      { initiator: iqnA, host },
    ],
  ])('%s', (_title, records, connector) => {
    expect(connectorOf({ node, volumeConnectors: connectors(records) })).toEqual(connector);
  });

  it.each<[string, Records, string]>([
    ['an address alone', [['ip', '10.0.0.9']], 'only ip'],
    ['a MAC address alone', [['mac', '52:54:00:00:00:01']], 'only mac'],
    ['a world wide node name alone', [['wwnn', nodeA ?? '']], 'only wwnn'],
    ['nothing', [], 'has no volume connector that storage can export to.'],
  ])('but not by %s', (_title, records, text) => {
    expect(() => connectorOf({ node, volumeConnectors: connectors(records) })).toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMETER', message: expect.stringContaining(text) as string }),
    );
  });
});

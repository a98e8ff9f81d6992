import { expect, it } from 'vitest';
import { parseVolumeConnection } from '../src/index.ts';

it.each([
  ['iscsi', { target_portal: '10.0.0.1', target_iqn: 'iqn.2010-10.org.example:a', target_lun: 1 }],
  ['fibre_channel', { target_wwn: '50060160b6e06522', target_lun: 1 }],
  ['nfs', { export: 'nas.example:/pool' }],
])('reads a connection of type %s', (type, properties) => {
  expect(parseVolumeConnection(type, properties, 'volume target 1').kind).toBe(type);
});

it.each(['rbd', 'iSCSI', '', 'toString'])('refuses the type %j and names the record', (type) => {
  expect(() => parseVolumeConnection(type, {}, 'volume target 1')).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER',
      message: `The volume type of volume target 1 is ${JSON.stringify(type)}, which is not supported.`,
    }),
  );
});

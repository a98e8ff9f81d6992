import { expect, it } from 'vitest';
import { decideBootSource, initiatorOf, type BootDecision, type VolumeConnection } from '../src/index.ts';
import { connectors, volumeTarget } from './records.ts';

const initiator = initiatorOf(connectors(['iqn', 'iqn.2017-08.org.example:node']));
const iscsi = (lun: number): VolumeConnection => {
  return {
    kind: 'iscsi',
    paths: [{ portal: { host: '10.0.0.1', port: 3260 }, iqn: 'iqn.2010-10.org.example:v', lun }],
    chap: null,
  };
};
const nfs: VolumeConnection = { kind: 'nfs', server: 'nas', path: '/a', options: [] };
const boot = { target: volumeTarget(0), connection: iscsi(0) };
const ready: BootDecision = {
  node: { uuid: 'node-1', properties: { capabilities: 'iscsi_boot:True' } },
  initiator,
  volumes: [boot],
  writesImage: false,
};

it('boots from the iSCSI volume with boot index 0, as the node presents itself', () => {
  expect(decideBootSource(ready)).toEqual({
    kind: 'iscsi',
    initiatorIqn: 'iqn.2017-08.org.example:node',
    volume: { targetUuid: 'target-0', volumeId: 'volume-0', connection: iscsi(0) },
    extraVolumes: [],
  });
});

it('keeps further iSCSI volumes in their order', () => {
  const extra = [1, 2].map((index) => ({ target: volumeTarget(index), connection: iscsi(index) }));
  const source = decideBootSource({ ...ready, volumes: [boot, ...extra] });
  expect(source).toMatchObject({ extraVolumes: [{ targetUuid: 'target-1' }, { targetUuid: 'target-2' }] });
});

it.each([
  ['there are no volumes', { volumes: [] }],
  ['no volume has boot index 0', { volumes: [{ target: volumeTarget(1), connection: iscsi(1) }] }],
  ['an image is written to the disk, although there is a boot volume', { writesImage: true }],
])('boots from the local disk when %s', (_case, changes) => {
  expect(decideBootSource({ ...ready, ...changes })).toEqual({ kind: 'local_disk' });
});

it.each([
  ['the capability is not set', { node: { uuid: 'node-1', properties: {} } }, /capability iscsi_boot is not set/],
  [
    'the capability is false',
    { node: { uuid: 'node-1', properties: { capabilities: 'iscsi_boot:False' } } },
    /capability iscsi_boot is not set/,
  ],
  ['there is no iSCSI name', { initiator: initiatorOf([]) }, /no volume connector of type iqn/],
  ['the boot volume is no iSCSI volume', { volumes: [{ ...boot, connection: nfs }] }, /its type is nfs/],
])('refuses when %s, naming target and node', (_case, changes, message) => {
  expect(() => decideBootSource({ ...ready, ...changes })).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER',
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
    }),
  );
  expect(() => decideBootSource({ ...ready, ...changes })).toThrow(/target-0/);
});

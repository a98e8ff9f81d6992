import { describe, expect, it } from 'vitest';
import { initiatorOf } from '../src/index.ts';
import { connectors } from './records.ts';

const [nameA, nameB] = ['iqn.2017-08.org.example:a', 'iqn.2017-08.org.example:b'] as const;
const [portA, portB, node] = ['10000090fa1b2c3d', '10000090fa1b2c3e', '20000090fa1b2c3d'] as const;
const empty = { iqn: null, ips: [], wwpns: [], wwnns: [], warnings: [] };

describe('a node presents itself', () => {
  it('with its iSCSI name', () => {
    expect(initiatorOf(connectors(['iqn', nameA]))).toEqual({ ...empty, iqn: nameA });
  });

  it('with its iSCSI name and address', () => {
    expect(initiatorOf(connectors(['iqn', nameA], ['ip', '10.0.0.9']))).toEqual({
      ...empty,
      iqn: nameA,
      ips: ['10.0.0.9'],
    });
  });

  it('without what storage does not use: a MAC address adds nothing', () => {
    expect(initiatorOf(connectors(['iqn', nameA], ['mac', '52:54:00:00:00:01']))).toEqual({ ...empty, iqn: nameA });
  });

  it('with the iSCSI name that was created first, and a warning that names the other', () => {
    const { iqn, warnings } = initiatorOf(connectors(['iqn', nameA], ['iqn', nameB]));
    expect([iqn, warnings]).toEqual([nameA, [expect.stringContaining(nameB)]]);
  });

  it('with all its world wide names, in one form', () => {
    const records = connectors(['wwpn', '10:00:00:90:FA:1B:2C:3D'], ['wwpn', portB], ['wwnn', node]);
    expect(initiatorOf(records)).toEqual({ ...empty, wwpns: [portA, portB], wwnns: [node] });
  });

  it('with an address alone, which is no iSCSI name', () => {
    expect(initiatorOf(connectors(['ip', '10.0.0.9'])).iqn).toBeNull();
  });

  it('with nothing when it has no connectors', () => {
    expect(initiatorOf([])).toEqual(empty);
  });

  it('only by exact types: an IQN in upper case counts for nothing', () => {
    expect(initiatorOf(connectors(['IQN', nameA]))).toEqual(empty);
  });
});

it.each([
  ['iqn', 'fake_iqn'],
  ['iqn', `${nameA}\nset x`],
  ['wwpn', '1000'],
  ['wwnn', 'zz'],
])('a malformed %s is refused with the name of its connector', (type, id) => {
  expect(() => initiatorOf(connectors(['ip', '10.0.0.9'], [type, id]))).toThrow(
    expect.objectContaining({ code: 'INVALID_PARAMETER', message: expect.stringContaining('connector-2') as string }),
  );
});

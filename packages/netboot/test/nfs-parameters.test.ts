import type { NfsConnection } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { nfsParameters } from '../src/index.ts';

const connection: NfsConnection = { kind: 'nfs', server: '192.0.2.30', path: '/exports/node-0', options: [] };

describe('nfsParameters', () => {
  it.each([
    ['an address', {}, 'nfsroot=192.0.2.30:/exports/node-0'],
    ['an IPv6 address', { server: '2001:db8::1' }, 'nfsroot=[2001:db8::1]:/exports/node-0'],
    ['a name', { server: 'nfs.example' }, 'nfsroot=nfs.example:/exports/node-0'],
    ['options', { options: ['vers=4.2', 'nolock'] }, 'nfsroot=192.0.2.30:/exports/node-0,vers=4.2,nolock'],
  ])('names the export by %s', (_, change, nfsroot) => {
    expect(nfsParameters({ ...connection, ...change })).toEqual(['root=/dev/nfs', nfsroot, 'ip=dhcp']);
  });

  it.each([
    ['server', { server: 'a b' }],
    ['server', { server: '1.2.3.4:/x,y' }],
    ['path', { path: '/a b' }],
    ['path', { path: '/a,ro' }],
    ['path', { path: 'a' }],
    ['options', { options: ['ro init=/bin/sh'] }],
    ['options', { options: ['a,b'] }],
  ])('refuses a %s that ramdisks would read as something else', (part, change) => {
    const refuse = () => nfsParameters({ ...connection, ...change });
    expect(refuse).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(refuse).toThrow(`The ${part} of the NFS export`);
  });
});

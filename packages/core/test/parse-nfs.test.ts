import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  isIronbarkError,
  parseNfs,
  parseNfsRoot,
  type Info,
  type InfoValue,
  type NfsConnection,
} from '../src/index.ts';
import { anyInfo } from './info-arbitrary.ts';

function problemOf(properties: Info): string {
  try {
    parseNfs(properties, 'volume target 1');
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return error.message;
    throw error;
  }
  return 'accepted';
}

it('reads server, path and options', () => {
  expect(parseNfs({ export: 'nas.example:/pool/root-1', options: '-o vers=4.2,nolock' }, 'x')).toEqual({
    kind: 'nfs',
    server: 'nas.example',
    path: '/pool/root-1',
    options: ['vers=4.2', 'nolock'],
  });
});

it('reads an IPv6 server in brackets', () => {
  expect(parseNfs({ export: '[fd00::1]:/pool' }, 'x')).toMatchObject({ server: 'fd00::1', path: '/pool', options: [] });
});

it.each([
  ['', 'is missing'],
  ['nas.example', 'no NFS export'],
  ['nas.example:pool', 'no NFS export'],
  ['fd00::1:/pool', 'no NFS export'],
  ['nas.example:/pool/../etc', 'no NFS export'],
  ['nas.example:/pool root', 'no NFS export'],
  ['nas.example:/pool\nquiet', 'no NFS export'],
  ['nas example:/pool', 'no NFS export'],
])('refuses the export %j', (text, problem) => {
  expect(problemOf({ export: text })).toContain(problem);
});

it.each(['vers=4.2 init=/bin/sh', 'vers=4.2 quiet', 'a=b=c', 'rw\nx', '$(x)'])('refuses the option %j', (option) => {
  expect(problemOf({ export: 'nas.example:/pool', options: option })).toContain(
    'Property options of volume target 1 holds',
  );
});

it('accepts only what fits one word of a kernel command line', () => {
  const text = fc.stringMatching(/^[ab1/._=:,@ \n$"\\-]{0,12}$/);
  fc.assert(
    fc.property(text, text, (path, options) => {
      const properties = { export: `nas.example:/${path}`, options };
      const { path: read, options: words } =
        problemOf(properties) === 'accepted' ? parseNfs(properties, 'x') : { path: '/', options: [] };
      expect([read, ...words].join(',')).toMatch(/^[\w./+@=:,-]+$/);
    }),
    { numRuns: 1000 },
  );
});

it('answers any properties with a connection or an INVALID_PARAMETER', () => {
  fc.assert(
    fc.property(anyInfo(['export', 'options']), (properties) => {
      expect(problemOf(properties)).toMatch(/^(?:accepted$|Property )/);
    }),
    { numRuns: 300 },
  );
});

it.each<[InfoValue, NfsConnection]>([
  ['192.0.2.30:/srv/root', { kind: 'nfs', server: '192.0.2.30', path: '/srv/root', options: [] }],
  [
    '192.0.2.30:/srv/root,vers=4.2,ro',
    { kind: 'nfs', server: '192.0.2.30', path: '/srv/root', options: ['vers=4.2', 'ro'] },
  ],
  ['[2001:db8::1]:/srv', { kind: 'nfs', server: '2001:db8::1', path: '/srv', options: [] }],
  [
    { server: '192.0.2.30', path: '/srv' },
    { kind: 'nfs', server: '192.0.2.30', path: '/srv', options: [] },
  ],
  [
    { server: '2001:db8::1', path: '/srv', options: 'vers=3,nolock' },
    { kind: 'nfs', server: '2001:db8::1', path: '/srv', options: ['vers=3', 'nolock'] },
  ],
])('reads the root %j', (value, connection) => {
  expect(parseNfsRoot(value, 'instance_info.nfs_root')).toEqual(connection);
});

it.each<InfoValue>([
  '/srv/root',
  '192.0.2.30',
  'server:relative',
  '192.0.2.30:/srv/../etc',
  '192.0.2.30:/srv root',
  '192.0.2.30:/srv,vers=4 init=/bin/sh',
  '192.0.2.30:/srv"',
  { server: '192.0.2.30' },
  { server: 'a b', path: '/srv' },
  7,
  null,
])('refuses the root %j, naming the field', (value) => {
  expect(() => parseNfsRoot(value, 'instance_info.nfs_root')).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('instance_info.nfs_root') as string,
    }),
  );
});

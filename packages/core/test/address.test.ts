import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatPortal, isHost, iscsiPort, parsePortal } from '../src/index.ts';

it.each([
  ['10.0.0.1:3260', { host: '10.0.0.1', port: 3260 }],
  ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
  ['10.0.0.1', { host: '10.0.0.1', port: iscsiPort }],
  ['storage.example.org:860', { host: 'storage.example.org', port: 860 }],
  ['[fd00::1]:3261', { host: 'fd00::1', port: 3261 }],
  ['[fd00::1]', { host: 'fd00::1', port: iscsiPort }],
  ['fd00::1', { host: 'fd00::1', port: iscsiPort }],
  ['::ffff:192.0.2.1', { host: '::ffff:192.0.2.1', port: iscsiPort }],
])('reads the portal %s', (text, portal) => {
  expect(parsePortal(text)).toEqual(portal);
});

it.each([
  ['nothing', ''],
  ['a port alone', ':3260'],
  ['port 0', '10.0.0.1:0'],
  ['a port above 65535', '10.0.0.1:65536'],
  ['an empty port', '10.0.0.1:'],
  ['a port that is no number', '10.0.0.1:iscsi'],
  ['an IPv4 address in brackets', '[10.0.0.1]:3260'],
  ['a host name in brackets', '[storage]:3260'],
  ['an unclosed bracket', '[fd00::1:3260'],
  ['an IPv6 zone', '[fe80::1%eth0]:3260'],
  ['an IPv4 address out of range', '10.0.0.256:3260'],
  ['a blank', 'storage example:3260'],
  ['a line break', '10.0.0.1:3260\n'],
  ['an iPXE expansion', '\u0024{net0/ip}:3260'],
])('refuses a portal with %s', (_problem, text) => {
  expect(parsePortal(text)).toBeUndefined();
});

it('takes the default port from the caller', () => {
  expect(parsePortal('10.0.0.1', 2049)).toEqual({ host: '10.0.0.1', port: 2049 });
});

it.each(['-a.example', 'a-.example', 'a..b', `${'a'.repeat(64)}.example`, 'a'.repeat(254), '1.2.3', 'a_b'])(
  'does not take %s for a host name',
  (text) => {
    expect(isHost(text)).toBe(false);
  },
);

const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('%')),
  fc.domain({ size: 'small' }).filter((text) => text.length <= 253),
);

it('reads back every portal that it prints', () => {
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65535 }), (name, port) => {
      expect(parsePortal(formatPortal({ host: name, port }))).toEqual({ host: name, port });
    }),
  );
});

it('accepts only what prints to a portal without blanks and control characters', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), host), (text) => {
      const portal = parsePortal(text);
      expect(portal === undefined || /^[\w.:[\]-]+$/.test(formatPortal(portal))).toBe(true);
    }),
  );
});

import { describe, expect, it } from 'vitest';
import { parseBmcAddress, resourceUrl } from '../src/index.ts';

describe('the address of a BMC', () => {
  it.each([
    ['bmc.example', 'https://bmc.example'],
    ['192.0.2.7', 'https://192.0.2.7'],
    ['192.0.2.7:8443', 'https://192.0.2.7:8443'],
    ['http://192.0.2.7:8000', 'http://192.0.2.7:8000'],
    ['HTTPS://BMC.example/', 'https://bmc.example'],
    ['2001:db8::7', 'https://[2001:db8::7]'],
    ['[2001:db8::7]:8443', 'https://[2001:db8::7]:8443'],
    ['https://[2001:db8::7]', 'https://[2001:db8::7]'],
  ])('%s is %s', (text, origin) => {
    expect(parseBmcAddress(text)).toBe(origin);
  });

  it.each([
    '',
    ' bmc',
    'bmc example',
    'ftp://bmc',
    'https://',
    'https://user:secret@bmc',
    'https://bmc/redfish/v1',
    'https://bmc?x=1',
    'https://bmc#x',
    'https:\\\\bmc',
    'bmc:99999',
    'fe80::1%eth0',
  ])('%j is none', (text) => {
    expect(parseBmcAddress(text)).toBeUndefined();
  });

  it.each([
    '/redfish/v1/Systems/1?x=1',
    'https://internal.example/redfish/v1/Systems/1?x=1',
    '//other/redfish/v1/Systems/1?x=1',
  ])('stays the host of the link %s', (link) => {
    expect(resourceUrl('https://192.0.2.7', link)).toBe('https://192.0.2.7/redfish/v1/Systems/1?x=1');
  });
});

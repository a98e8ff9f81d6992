import { parseIscsi, type Info } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { sanUri } from '../src/index.ts';
import { iscsiPath } from './sources.ts';

const iqn = 'iqn.2010-10.org.example:q';

function urisOf(properties: Info): readonly string[] {
  const { paths } = parseIscsi({ target_iqn: iqn, ...properties }, 'volume target 1');
  return paths.map((path) => sanUri(path, 'volume target 1'));
}

describe('sanUri', () => {
  it.each<[string, Info, readonly string[]]>([
    ['a portal with its port', { target_portal: '10.0.0.1:3260', target_lun: 0 }, [`iscsi:10.0.0.1::3260:0:${iqn}`]],
    ['LUN 9', { target_portal: '10.0.0.1:3260', target_lun: 9 }, [`iscsi:10.0.0.1::3260:9:${iqn}`]],
    ['LUN 10 in hexadecimal', { target_portal: '10.0.0.1:3260', target_lun: 10 }, [`iscsi:10.0.0.1::3260:a:${iqn}`]],
    ['LUN 16 in hexadecimal', { target_portal: '10.0.0.1:3260', target_lun: 16 }, [`iscsi:10.0.0.1::3260:10:${iqn}`]],
    ['LUN 255 in lower case', { target_portal: '10.0.0.1:3260', target_lun: 255 }, [`iscsi:10.0.0.1::3260:ff:${iqn}`]],
    ['LUN 256', { target_portal: '10.0.0.1:3260', target_lun: 256 }, [`iscsi:10.0.0.1::3260:100:${iqn}`]],
    ['a LUN that is text', { target_portal: '10.0.0.1:3260', target_lun: '16' }, [`iscsi:10.0.0.1::3260:10:${iqn}`]],
    ['the default port', { target_portal: '10.0.0.1', target_lun: 0 }, [`iscsi:10.0.0.1::3260:0:${iqn}`]],
    ['IPv6 in brackets', { target_portal: '[fd00::1]:3260', target_lun: 0 }, [`iscsi:[fd00::1]::3260:0:${iqn}`]],
    ['a host name', { target_portal: 'san.example:860', target_lun: 0 }, [`iscsi:san.example::860:0:${iqn}`]],
    [
      'portal, name and LUN of every path',
      { target_portals: ['a:1', 'b:2'], target_iqns: [`${iqn}1`, `${iqn}2`], target_luns: [1, 2] },
      [`iscsi:a::1:1:${iqn}1`, `iscsi:b::2:2:${iqn}2`],
    ],
    [
      'one name and LUN for all portals',
      { target_portals: ['a:1', 'b:2'], target_lun: 10 },
      [`iscsi:a::1:a:${iqn}`, `iscsi:b::2:a:${iqn}`],
    ],
  ])('writes %s', (_, properties, uris) => {
    expect(urisOf(properties)).toEqual(uris);
  });

  it.each([
    ['target_portal', { portal: { host: 'a b', port: 1 } }],
    ['target_portal', { portal: { host: '[::1]', port: 1 } }],
    ['target_portal', { portal: { host: 'a', port: 0 } }],
    ['target_portal', { portal: { host: 'a', port: 1.5 } }],
    ['target_lun', { lun: -1 }],
    ['target_lun', { lun: 0.5 }],
    ['target_lun', { lun: 65_536 }],
    ['target_iqn', { iqn: 'iqn.2010-10.org.example:a b' }],
    ['target_iqn', { iqn: 'iqn.2010-10.org.example:a#b' }],
    ['target_iqn', { iqn: '' }],
  ])('refuses a %s that a storage driver got wrong: %j', (field, part) => {
    const refused = () => sanUri(iscsiPath(part), 'volume target 7');
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(refused).toThrow(`${field} of volume target 7`);
  });
});

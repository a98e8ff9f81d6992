import { describe, expect, it } from 'vitest';
import { fcpUri } from '../src/index.ts';

const path = { initiatorWwpn: null, targetWwpn: '500a098280feeba5', lun: 1 };

describe('fcpUri', () => {
  it.each([
    [0, '0000-0000-0000-0000'],
    [1, '0001-0000-0000-0000'],
    [255, '00ff-0000-0000-0000'],
    [65_535, 'ffff-0000-0000-0000'],
  ])('writes LUN %i as %s', (lun, words) => {
    expect(fcpUri({ ...path, lun }, 'volume target 1')).toBe(`fcp:50:0a:09:82:80:fe:eb:a5:${words}`);
  });

  it.each([
    ['target_wwn', { targetWwpn: '500a098280feeba' }],
    ['target_wwn', { targetWwpn: '500a098280feeba5 shell' }],
    ['target_wwn', { targetWwpn: '50:0a:09:82:80:fe:eb:a5' }],
    ['target_wwn', { targetWwpn: '500A098280FEEBA5' }],
    ['target_lun', { lun: -1 }],
    ['target_lun', { lun: 65_536 }],
    ['target_lun', { lun: 0.5 }],
  ])('refuses the %s of %j by name', (field, change) => {
    const refused = () => fcpUri({ ...path, ...change }, 'volume target 1');
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
    expect(refused).toThrow(`${field} of volume target 1`);
  });
});

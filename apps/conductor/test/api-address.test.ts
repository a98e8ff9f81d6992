import { describe, expect, it } from 'vitest';
import { bootReportUrlOf } from '../src/api-address.ts';

const catalogue = (url: string | undefined) => ({ findApiUrl: async () => url });
const unasked = {
  findApiUrl: () => {
    throw new Error('The catalogue was asked.');
  },
};

describe('the address that machines report to', () => {
  it.each([
    ['what is configured', { listen: '192.0.2.1', bootReportUrl: 'http://a:1' }, unasked, 'http://a:1'],
    [
      'else what the catalogue has',
      { listen: '192.0.2.1', bootReportUrl: null },
      catalogue('http://b:2'),
      'http://b:2',
    ],
    [
      'else the address that is listened on',
      { listen: '192.0.2.1', bootReportUrl: null },
      catalogue(undefined),
      'http://192.0.2.1:6385',
    ],
    ['the same without Keystone', { listen: '::1', bootReportUrl: null }, undefined, 'http://[::1]:6385'],
    ['none, when all addresses are listened on', { listen: '::', bootReportUrl: null }, catalogue(undefined), null],
  ])('is %s', async (_case, api, keystone, url) => {
    expect(await bootReportUrlOf(api, 6385, keystone)).toBe(url);
  });
});

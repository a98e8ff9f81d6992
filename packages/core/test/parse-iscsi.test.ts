import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatPortal,
  isIronbarkError,
  isIscsiName,
  parseIscsi,
  Secret,
  type Info,
  type IscsiConnection,
} from '../src/index.ts';
import { anyInfo } from './info-arbitrary.ts';

const iqn = 'iqn.2010-10.org.example:volume-1';
const other = 'iqn.2010-10.org.example:volume-2';
const one = { target_portal: '10.0.0.1:3260', target_iqn: iqn, target_lun: 0 };

function parse(properties: Info): IscsiConnection {
  return parseIscsi(properties, 'volume target 1');
}

function problemOf(properties: Info): string {
  try {
    parse(properties);
  } catch (error) {
    if (isIronbarkError(error, 'INVALID_PARAMETER')) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('one path', () => {
  it('is read from the single keys', () => {
    expect(parse(one)).toEqual({
      kind: 'iscsi',
      paths: [{ portal: { host: '10.0.0.1', port: 3260 }, iqn, lun: 0 }],
      chap: null,
    });
  });

  it.each([
    [0, 0],
    [10, 10],
    [16, 16],
    [255, 255],
    [65535, 65535],
    ['1', 1],
    ['00016', 16],
  ])('has LUN %j as the number %j', (given, lun) => {
    expect(parse({ ...one, target_lun: given }).paths[0]?.lun).toBe(lun);
  });

  it.each([['a'], ['0x10'], [' 1'], ['1.0'], ['-1'], ['65536'], [65536], [-1], [1.5], [true]])(
    'refuses LUN %j',
    (given) => {
      expect(problemOf({ ...one, target_lun: given })).toMatch(
        /^Property target_lun of volume target 1 is .+ no LUN\.$/,
      );
    },
  );

  it('has the port 3260 when the portal names none', () => {
    expect(parse({ ...one, target_portal: '10.0.0.1' }).paths[0]?.portal.port).toBe(3260);
  });

  it('keeps an IPv6 portal without brackets', () => {
    expect(parse({ ...one, target_portal: '[fd00::1]:3260' }).paths[0]?.portal).toEqual({
      host: 'fd00::1',
      port: 3260,
    });
  });

  it.each([
    ['target_portal', undefined],
    ['target_portal', null],
    ['target_portal', ''],
    ['target_portal', []],
    ['target_iqn', undefined],
    ['target_iqn', ''],
    ['target_lun', undefined],
    ['target_lun', ''],
  ])('is refused when %s is %j', (key, given) => {
    const { [key]: _, ...rest } = one as Info;
    expect(problemOf(given === undefined ? rest : { ...rest, [key]: given })).toBe(
      `Property ${key} of volume target 1 is missing.`,
    );
  });

  it.each(['target_portals', 'target_iqns', 'target_luns'])('is refused when the list %s is empty', (key) => {
    expect(problemOf({ ...one, [key]: [] })).toBe(`Property ${key} of volume target 1 is an empty list.`);
  });

  it('is refused when a plural key holds no list', () => {
    expect(problemOf({ ...one, target_luns: 1 })).toBe('Property target_luns of volume target 1 is not a list.');
  });
});

describe('several paths', () => {
  const portals = ['10.0.0.1:3260', '10.0.0.2:3260'];

  it('have their own portal, name and LUN each', () => {
    const { paths } = parse({ target_portals: portals, target_iqns: [iqn, other], target_luns: [1, 2] });
    expect(paths.map((path) => [formatPortal(path.portal), path.iqn, path.lun])).toEqual([
      ['10.0.0.1:3260', iqn, 1],
      ['10.0.0.2:3260', other, 2],
    ]);
  });

  it('share the single name and LUN where there is no list', () => {
    const { paths } = parse({ ...one, target_portals: portals });
    expect(paths.map((path) => [formatPortal(path.portal), path.iqn, path.lun])).toEqual([
      ['10.0.0.1:3260', iqn, 0],
      ['10.0.0.2:3260', iqn, 0],
    ]);
  });

  it('come from the lists when both forms are given, as Cinder does', () => {
    expect(
      parse({ ...one, target_portals: portals, target_iqns: [other, other], target_luns: [7, 7] }).paths,
    ).toHaveLength(2);
  });

  it.each([
    ['target_iqns', [iqn, other, iqn], 3],
    ['target_luns', [1, 2, 3], 3],
  ])('are refused when %s has another length than the portals', (key, list, length) => {
    expect(problemOf({ ...one, target_portals: portals, [key]: list })).toBe(
      `Property ${key} of volume target 1 has ${length} entries for 2 portals.`,
    );
  });

  it('are refused when there are more names than the one portal', () => {
    expect(problemOf({ ...one, target_iqns: [iqn, other] })).toContain('has 2 entries for 1 portals');
  });
});

describe('CHAP', () => {
  const chap = { auth_method: 'CHAP', auth_username: 'initiator', auth_password: Secret.of('correct horse') };
  const mutual = { mutual_auth_username: 'target', mutual_auth_password: 'battery staple' };

  it('is none without credentials', () => {
    expect(parse({ ...one, auth_method: 'None' }).chap).toBeNull();
  });

  it('is used when credentials are given, whatever the case of the method', () => {
    const { chap: read } = parse({ ...one, ...chap, auth_method: 'chap' });
    expect([read?.username, read?.password.reveal(), read?.mutual]).toEqual(['initiator', 'correct horse', null]);
  });

  it('makes a secret of a password that came as text', () => {
    expect(JSON.stringify(parse({ ...one, ...chap, auth_password: 'correct horse' }))).not.toContain('horse');
  });

  it('is mutual when the target has credentials too', () => {
    const read = parse({ ...one, ...chap, ...mutual }).chap?.mutual;
    expect([read?.username, read?.password.reveal()]).toEqual(['target', 'battery staple']);
  });

  it.each([
    ['a method other than CHAP', { ...chap, auth_method: 'SRP' }, 'auth_method'],
    ['CHAP without credentials', { auth_method: 'CHAP' }, 'auth_username'],
    ['a password without a name', { auth_password: 'x' }, 'auth_username'],
    ['a name without a password', { auth_username: 'x' }, 'auth_password'],
    ['credentials with the method none', { ...chap, auth_method: 'none' }, 'auth_method'],
    ['mutual credentials alone', mutual, 'auth_username'],
    ['a mutual name without a password', { ...chap, mutual_auth_username: 'x' }, 'mutual_auth_password'],
    ['a mutual password without a name', { ...chap, mutual_auth_password: 'x' }, 'mutual_auth_username'],
  ])('is refused with %s', (_problem, properties, key) => {
    expect(problemOf({ ...one, ...properties })).toContain(`Property ${key} of volume target 1`);
  });
});

it.each([
  'iqn.2017-08.org.openstack.21cd1ab2-1ee7-4bd8-b7cb-7c4a4bd6f2a4',
  'iqn.1994-05.com.redhat:Node_1',
  'eui.02004567A425678D',
  'naa.62004567BA64678D0123456789ABCDEF',
])('takes %s for an iSCSI name', (text) => {
  expect(isIscsiName(text)).toBe(true);
});

it.each([
  '',
  'fake_iqn',
  'iqn.2017-8.org.example',
  'iqn.2017-08.',
  'eui.0200',
  'iqn.2017-08.a b',
  `iqn.2017-08.${'a'.repeat(212)}`,
])('does not take %j for an iSCSI name', (text) => {
  expect(isIscsiName(text)).toBe(false);
});

const keys = ['target_portal', 'target_iqn', 'target_lun'].flatMap((key) => [key, `${key}s`]);
const authKeys = ['auth_method', 'auth_username', 'auth_password', 'mutual_auth_username', 'mutual_auth_password'];

it('answers any properties with a connection or an INVALID_PARAMETER', () => {
  fc.assert(
    fc.property(anyInfo([...keys, ...authKeys]), fc.boolean(), (properties, isComplete) => {
      expect(problemOf(isComplete ? { ...properties, ...one } : properties)).toMatch(/^(?:accepted$|Property )/);
    }),
    { numRuns: 500 },
  );
});

it('reads back the paths of every connection that it accepts', () => {
  const path = fc.record({
    portal: fc.record({
      host: fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', 'a.example')),
      port: fc.integer({ min: 1, max: 65535 }),
    }),
    iqn: fc.constantFrom(iqn, other),
    lun: fc.integer({ min: 0, max: 65535 }),
  });
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 4 }), (paths) => {
      const properties = {
        target_portals: paths.map(({ portal }) => formatPortal(portal)),
        target_iqns: paths.map((each) => each.iqn),
        target_luns: paths.map(({ lun }, index) => (index % 2 === 0 ? lun : String(lun))),
      };
      expect(parse(properties).paths).toEqual(paths);
    }),
  );
});

import { hostname } from 'node:os';
import { join } from 'node:path';
import { isIronbarkError } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../src/config/load.ts';
import { createSite } from './site.ts';

function problemOf(content: unknown, environment: NodeJS.ProcessEnv = {}): string {
  try {
    parseConfig(content, '/site', environment);
  } catch (error) {
    if (isIronbarkError(error, 'CONFIG_INVALID')) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a configuration', () => {
  it.each([
    ['an empty file', null],
    ['no sections', {}],
    ['empty sections', { api: null, conductor: null }],
  ])('of %s has all defaults', (_what, content) => {
    expect(parseConfig(content, '/site')).toMatchObject({
      siteDirectory: '/site',
      hostname: hostname(),
      conductorGroup: '',
      stateDirectory: '/site/state',
      log: { level: 'info', pretty: false },
      api: { listen: '127.0.0.1', port: 6385, publicUrl: null, auth: { strategy: 'noauth' } },
      enabled: {
        hardware: [],
        storage: ['noop'],
        deploy: ['volume', 'ramdisk'],
        vendor: ['no-vendor'],
        network: ['noop'],
      },
      defaults: {},
      settings: {},
      conductor: { workers: 100, lockLeaseMs: 60_000, graceMs: 30_000 },
      notifications: { log: false, level: 'info' },
    });
  });

  it('has paths that start at the site, unless they are absolute', () => {
    const config = parseConfig(
      {
        state_directory: '../elsewhere',
        database: { file: 'db/x.sqlite', key_file: '/etc/ironbark/key' },
        api: { auth: { strategy: 'http_basic', htpasswd: 'users' } },
      },
      '/srv/site',
    );
    expect([config.stateDirectory, config.database, config.api.auth]).toEqual([
      '/srv/elsewhere',
      { file: '/srv/site/db/x.sqlite', keyFile: '/etc/ironbark/key' },
      { strategy: 'http_basic', htpasswd: '/srv/site/users' },
    ]);
  });

  it('has times in milliseconds', () => {
    expect(parseConfig({ conductor: { grace_seconds: 0.5 } }, '/site').conductor.graceMs).toBe(500);
    const off = { sync_power_state_interval_seconds: 0, reconcile_interval_seconds: 0 };
    expect(parseConfig({ conductor: off }, '/site').conductor).toMatchObject({
      syncPowerStateIntervalMs: 0,
      reconcileIntervalMs: 0,
    });
  });

  it('has a public URL without a slash at its end', () => {
    expect(parseConfig({ api: { public_url: 'https://metal.example/api/' } }, '/site').api.publicUrl).toBe(
      'https://metal.example/api',
    );
  });

  it('keeps the settings of plugins as they are, also nulls in them', () => {
    const settings = { x: { AnyKey: [1, null], deep: { none: null } } };
    expect(parseConfig({ settings }, '/site').settings).toEqual(settings);
  });
});

describe('a wrong key is named', () => {
  it.each([
    ['with the near matches of its section', { api: { prot: 1 } }, 'api.prot is not known (did you mean port?)'],
    ['with the near matches of sections', { databse: {} }, 'databse is not known (did you mean database?)'],
    [
      'inside a section of variants',
      { api: { auth: { strategy: 'http_basic', htpaswd: 'x' } } },
      'api.auth.htpaswd is not known (did you mean htpasswd?)',
    ],
    ['without a match when nothing is near', { api: { zzzzzz: 1 } }, 'api.zzzzzz is not known.'],
    ['when its value has the wrong type', { api: { port: 'x' } }, 'api.port: '],
    ['when its value is out of range', { api: { port: 65_536 } }, 'api.port: '],
    ['when its value is none of the known', { log: { level: 'loud' } }, 'log.level: '],
    ['when it is no driver', { enabled: { boot: ['ipxe', 'I PXE'] } }, 'enabled.boot.1: is no name of a driver'],
    [
      'when its default is not enabled',
      { enabled: { boot: ['pxe'] }, defaults: { boot: 'ipxe' } },
      'defaults.boot: is "ipxe", which enabled.boot does not name (pxe)',
    ],
    ['when its URL is none', { api: { public_url: 'file:///etc' } }, 'api.public_url: '],
    ['when its time is not positive', { conductor: { grace_seconds: 0 } }, 'conductor.grace_seconds: '],
    ['when its strategy lacks a file', { api: { auth: { strategy: 'http_basic' } } }, 'api.auth.htpasswd: '],
    [
      'when its role does not exist',
      { api: { auth: { strategy: 'http_basic', htpasswd: 'x', roles: { eve: 'root' } } } },
      'api.auth.roles.eve: ',
    ],
  ])('%s', (_case, content, message) => {
    expect(problemOf(content)).toContain(message);
  });

  it('together with all the others', () => {
    expect(problemOf({ api: { prot: 1 }, log: { level: 'loud' } })).toMatch(/log\.level: .*; api\.prot is not known/);
  });
});

it('takes a default of which a package was chosen', () => {
  const config = parseConfig({ enabled: { boot: ['ipxe#@acme/x'] }, defaults: { boot: 'ipxe' } }, '/site');
  expect([config.enabled.boot, config.defaults.boot]).toEqual([['ipxe#@acme/x'], 'ipxe']);
});

describe('the environment', () => {
  it.each([
    ['a number', 'IRONBARK_API__PORT', '7000', (config: ReturnType<typeof parseConfig>) => config.api.port, 7000],
    ['a boolean', 'IRONBARK_LOG__PRETTY', 'true', (config: ReturnType<typeof parseConfig>) => config.log.pretty, true],
    [
      'text',
      'IRONBARK_DATABASE__FILE',
      '/x.db',
      (config: ReturnType<typeof parseConfig>) => config.database.file,
      '/x.db',
    ],
    [
      'a list',
      'IRONBARK_ENABLED__BOOT',
      '[ipxe, pxe]',
      (config: ReturnType<typeof parseConfig>) => config.enabled.boot,
      ['ipxe', 'pxe'],
    ],
    [
      'a key without section',
      'IRONBARK_HOSTNAME',
      'c-1',
      (config: ReturnType<typeof parseConfig>) => config.hostname,
      'c-1',
    ],
    [
      'a setting of a plugin',
      'IRONBARK_SETTINGS__NETBOOT__LISTEN__PORT',
      '80',
      (config: ReturnType<typeof parseConfig>) => config.settings,
      { netboot: { listen: { port: 80 } } },
    ],
  ])('gives %s', (_what, name, text, read, value) => {
    expect(read(parseConfig({}, '/site', { [name]: text }))).toEqual(value);
  });

  it('goes before the file and leaves the rest of the section alone', () => {
    const { api } = parseConfig({ api: { port: 1, listen: '::1' } }, '/site', { IRONBARK_API__PORT: '2' });
    expect([api.port, api.listen]).toEqual([2, '::1']);
  });

  it('reaches a key with dashes or capitals that is in the file', () => {
    const settings = { 'boot-ipxe': { httpUrl: 'http://a/' } };
    const environment = { IRONBARK_SETTINGS__BOOT_IPXE__HTTPURL: 'http://b/' };
    expect(parseConfig({ settings }, '/site', environment).settings).toEqual({ 'boot-ipxe': { httpUrl: 'http://b/' } });
  });

  it('is named when it gives a wrong value', () => {
    expect(problemOf({}, { IRONBARK_API__PORT: 'x' })).toContain('api.port, set by IRONBARK_API__PORT: ');
  });

  it('with one underscore after a section are a slip that is told', () => {
    expect(() => parseConfig({}, '/site', { IRONBARK_API_PORT: '7000' })).toThrow(/IRONBARK_API_PORT is no setting/);
    expect(parseConfig({}, '/site', { IRONBARK_HOME: '/x' }).api.port).toBe(6385);
  });

  it('is named when it gives a key that is not known', () => {
    expect(problemOf({}, { IRONBARK_API__PROT: '1' })).toContain(
      'api.prot, set by IRONBARK_API__PROT is not known (did you mean port?)',
    );
  });

  it('is named when its value is no YAML', () => {
    expect(problemOf({}, { IRONBARK_ENABLED__BOOT: '[ipxe' })).toBe(
      'The environment variable IRONBARK_ENABLED__BOOT holds no YAML value.',
    );
  });

  it.each(['IRONBARK_SITE', 'IRONBARK_ACCEPTANCE', 'OTHER_API__PORT', 'IRONBARK'])('leaves %s alone', (name) => {
    expect(problemOf({}, { [name]: 'x' })).toBe('accepted');
  });
});

describe('a credential in a file', () => {
  it('is read from a path that starts at the site, without the line break at its end', () => {
    const site = createSite({ 'secrets/bmc': 'correct horse\n' });
    const settings = { redfish: [{ password_file: 'secrets/bmc', username: 'admin' }] };
    expect(parseConfig({ settings }, site).settings).toEqual({
      redfish: [{ password: 'correct horse', username: 'admin' }],
    });
  });

  it('is read from a path that the environment gives', () => {
    const site = createSite({ token: 'abc' });
    const environment = { IRONBARK_SETTINGS__X__TOKEN_FILE: join(site, 'token') };
    expect(parseConfig({}, site, environment).settings).toEqual({ x: { token: 'abc' } });
  });

  it('is not looked for under keys that name no credential', () => {
    expect(parseConfig({ settings: { x: { ca_file: '/etc/ssl/ca.pem' } } }, '/site').settings).toEqual({
      x: { ca_file: '/etc/ssl/ca.pem' },
    });
  });

  it.each([
    [
      'cannot be read',
      { x: { password_file: '/nowhere/secret' } },
      /settings\.x\.password_file cannot be read: .*ENOENT/,
    ],
    [
      'is given as text too',
      { x: { password_file: '/a', password: 'b' } },
      /settings\.x\.password and settings\.x\.password_file are both given/,
    ],
    ['has no path', { x: { password_file: 7 } }, /settings\.x\.password_file is no path/],
  ])('is refused when it %s', (_problem, settings, message) => {
    expect(problemOf({ settings })).toMatch(message);
  });
});

describe('the file', () => {
  it('is read from the site', () => {
    const site = createSite({ 'ironbark.yaml': 'api:\n  port: 7000\n' });
    expect(loadConfig(site, {}).api.port).toBe(7000);
  });

  it.each([
    ['is missing', {}, /^There is no .*ironbark\.yaml\.$/],
    ['is no YAML', { 'ironbark.yaml': 'api:\n  port: [1\n' }, /ironbark\.yaml is no YAML: .* at line 3/],
    ['names a key twice', { 'ironbark.yaml': 'api: {}\napi: {}\n' }, /is no YAML: Map keys must be unique at line 2/],
    ['holds a list', { 'ironbark.yaml': '- api\n' }, /holds no sections/],
    [
      'is wrong',
      { 'ironbark.yaml': 'api: { port: x }\n' },
      /^The configuration in \/.*\/ironbark\.yaml is wrong: api\.port: /,
    ],
  ])('is refused with its name when it %s', (_problem, files, message) => {
    const site = createSite(files);
    expect(() => loadConfig(site, {})).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(message) as string,
        hint: expect.any(String) as string,
      }),
    );
  });

  it('is not quoted in an error, because it may hold credentials', () => {
    const site = createSite({ 'ironbark.yaml': 'settings:\n  x: { password: "hunter2\n' });
    expect(() => loadConfig(site, {})).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') as string }),
    );
  });
});

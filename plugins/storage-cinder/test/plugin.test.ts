import { checkPackage } from '@ironbark/driver-testkit';
import { setUpPlugin } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import plugin, { cinderConfig } from '../src/index.ts';

const credentials = {
  auth_url: 'http://192.0.2.1:5000',
  username: 'ironbark',
  password: 'Conductor-Password-1',
  project_name: 'service',
  user_domain_name: 'Default',
  project_domain_name: 'Default',
};

function problems(section: object): readonly string[] {
  const result = cinderConfig.safeParse(section);
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

describe('the settings', () => {
  it('have the defaults of the driver', () => {
    const { storage, session, endpoint } = cinderConfig.parse(credentials);
    expect(storage).toEqual({
      followsPower: true,
      attachmentApi: 'auto',
      actionRetries: 3,
      actionRetryIntervalMs: 5000,
      settleMs: 30_000,
    });
    expect(session.patience).toMatchObject({ requestTimeoutMs: 30_000, attempts: 4 });
    expect(endpoint.override).toBeNull();
  });

  it.each([
    ['url', { url: 'http://192.0.2.1:8776/v3' }],
    ['endpoint_override', { endpoint_override: 'http://192.0.2.1:8776/v3' }],
  ])('name the address by %s', (_key, address) => {
    expect(cinderConfig.parse({ ...credentials, ...address }).endpoint.override).toBe('http://192.0.2.1:8776/v3');
  });

  it('do without Keystone when there is an address', () => {
    const { session } = cinderConfig.parse({ auth_strategy: 'noauth', url: 'http://192.0.2.1:8776/v3' });
    expect(session.auth.kind).toBe('none');
  });

  it.each<[string, object, RegExp]>([
    ['a missing address of Keystone', { ...credentials, auth_url: undefined }, /^auth_url /],
    ['no settings at all', {}, /^auth_url /],
    ['two addresses', { ...credentials, url: 'http://a.example', endpoint_override: 'http://b.example' }, /^url /],
    ['no address without Keystone', { auth_strategy: 'noauth' }, /^endpoint_override /],
    ['a key that does not exist', { ...credentials, retry: 3 }, /retry/],
    ['a negative number of retries', { ...credentials, action_retries: -1 }, /^action_retries /],
    ['another protocol', { ...credentials, attachment_api: 'both' }, /^attachment_api /],
  ])('are refused with the name of the key: %s', (_title, section, text) => {
    expect(problems(section)).toContainEqual(expect.stringMatching(text));
  });

  it('are all described', () => {
    const { shape } = cinderConfig.in.unwrap();
    const silent = Object.entries(shape).filter(([, schema]) => (schema.description ?? '') === '');
    expect(silent.map(([key]) => key)).toEqual([]);
  });
});

it('registers the storage interface cinder, and asks nobody when it is set up', async () => {
  const setUp = await setUpPlugin(plugin, { settings: { ...credentials, toggle_attachments_with_power: false } });
  expect([...setUp.drivers.keys()]).toEqual(['storage:cinder']);
  expect(setUp.driver('storage', 'cinder').followsPower).toBe(false);
  await setUp.shutDown();
});

it('is a package that the conductor finds', async () => {
  expect(await checkPackage('.')).toEqual([]);
});

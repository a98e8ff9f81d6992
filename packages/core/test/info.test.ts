import { expect, it } from 'vitest';
import { isSecret, isSecretKey, revealText, Secret, wrapSecrets, type Info } from '../src/index.ts';

it.each([
  'password',
  'redfish_password',
  'auth_password',
  'Passwd',
  'api_token',
  'client_secret',
  'ssh_private_key',
  'configdrive',
])('keeps the value of %s secret', (key) => {
  expect(isSecretKey(key)).toBe(true);
});

it.each(['username', 'address', 'target_iqn', 'configdrive_url', 'deploy_kernel'])(
  'does not hide the value of %s',
  (key) => {
    expect(isSecretKey(key)).toBe(false);
  },
);

it('wraps credentials at any depth and nothing else', () => {
  const wrapped = wrapSecrets({ a: { b: [{ password: 'horse', name: 'x' }] }, port: 1 }) as Info;
  expect(JSON.stringify(wrapped)).toBe('{"a":{"b":[{"password":"******","name":"x"}]},"port":1}');
});

it.each([
  ['a number', 1234, '1234'],
  ['a list', ['a', 'b'], '["a","b"]'],
  ['an object', { a: 1 }, '{"a":1}'],
])('keeps %s under the name of a credential as its JSON text', (_what, value, text) => {
  const { password } = wrapSecrets({ password: value }) as Info;
  expect(isSecret(password) && password.reveal()).toBe(text);
});

it.each([null, ''])('leaves an absent credential %j as it is', (value) => {
  expect(wrapSecrets({ password: value })).toEqual({ password: value });
});

it('does not wrap what is a secret already', () => {
  const password = Secret.of('horse');
  expect((wrapSecrets({ password }) as Info)['password']).toBe(password);
});

it('reads text whether it is secret or not', () => {
  expect([revealText('a'), revealText(Secret.of('b')), revealText(1), revealText(undefined)]).toEqual([
    'a',
    'b',
    undefined,
    undefined,
  ]);
});

import { Secret, type Info } from '@ironbark/core';
import { createNode } from '@ironbark/driver-testkit/fakes';
import { describe, expect, it } from 'vitest';
import { parseDriverInfo } from '../src/index.ts';
import { setUpRedfish, taskWith } from './support/drivers.ts';

const good: Info = {
  redfish_address: 'https://bmc.example',
  redfish_system_id: '/redfish/v1/Systems/1',
  redfish_username: 'operator',
  redfish_password: Secret.of('secret'),
};

function parse(driverInfo: Info) {
  return parseDriverInfo(createNode({ driverInfo }));
}

describe('driver_info', () => {
  it('is read with its defaults', () => {
    const { connection, systemId } = parse(good);
    expect(connection).toMatchObject({ address: 'https://bmc.example', authType: 'auto', verifyCa: true });
    expect(connection.credentials?.username).toBe('operator');
    expect(connection.credentials?.password.reveal()).toBe('secret');
    expect(systemId).toBe('/redfish/v1/Systems/1');
  });

  it('needs only an address', () => {
    expect(parse({ redfish_address: 'bmc.example' })).toEqual({
      connection: { address: 'https://bmc.example', credentials: null, authType: 'auto', verifyCa: true },
      systemId: null,
    });
  });

  it.each([
    [true, true],
    [false, false],
    ['True', true],
    ['no', false],
    ['/etc/ironbark/ca.pem', '/etc/ironbark/ca.pem'],
  ])('takes %j for redfish_verify_ca', (given, read) => {
    expect(parse({ ...good, redfish_verify_ca: given }).connection.verifyCa).toBe(read);
  });

  it.each(['3a6f2b4e-5b0c-4a53-9d5e-0b8f1f1e9c11', 'System.Embedded.1', '/redfish/v1/Systems/437XR1138R2/'])(
    'takes %j for redfish_system_id',
    (systemId) => {
      expect(parse({ ...good, redfish_system_id: systemId }).systemId).toBe(systemId);
    },
  );

  it.each<readonly [string, Info, string, string]>([
    ['no address', { ...good, redfish_address: '' }, 'MISSING_PARAMETER', 'redfish_address is missing'],
    [
      'an address with a path',
      { ...good, redfish_address: 'https://bmc/x' },
      'INVALID_PARAMETER',
      'redfish_address is no host',
    ],
    [
      'a user without password',
      { ...good, redfish_password: null },
      'MISSING_PARAMETER',
      'redfish_password is missing',
    ],
    ['a password without user', { ...good, redfish_username: '' }, 'MISSING_PARAMETER', 'redfish_username is missing'],
    ['a user that is no text', { ...good, redfish_username: 7 }, 'INVALID_PARAMETER', 'redfish_username is not text'],
    [
      'a path outside the service',
      { ...good, redfish_system_id: '/etc/1' },
      'INVALID_PARAMETER',
      'redfish_system_id is "/etc/1"',
    ],
    [
      'a path that leads outside the service',
      { ...good, redfish_system_id: '/redfish/v1/../x' },
      'INVALID_PARAMETER',
      'redfish_system_id is "/redfish/v1/../x"',
    ],
    [
      'a CA that is no path',
      { ...good, redfish_verify_ca: 'maybe' },
      'INVALID_PARAMETER',
      'redfish_verify_ca is "maybe"',
    ],
    ['a CA that is a number', { ...good, redfish_verify_ca: 1 }, 'INVALID_PARAMETER', 'redfish_verify_ca is 1'],
    [
      'an unknown auth type',
      { ...good, redfish_auth_type: 'token' },
      'INVALID_PARAMETER',
      'redfish_auth_type is "token"',
    ],
    [
      'sessions without a user',
      { redfish_address: 'bmc', redfish_auth_type: 'session' },
      'MISSING_PARAMETER',
      'redfish_username is missing',
    ],
  ])('is refused with %s', (_title, driverInfo, code, message) => {
    expect(() => parse(driverInfo)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('is refused with everything that is wrong at once', () => {
    const driverInfo = { redfish_username: 'operator', redfish_verify_ca: 'maybe' };
    const message = /redfish_address is missing; redfish_password is missing.*; redfish_verify_ca is "maybe"/;
    expect(() => parse(driverInfo)).toThrow(message);
  });

  it('does not show a password that is part of the address', () => {
    const hidden = expect.objectContaining({
      message: expect.not.stringContaining('pw'),
      hint: expect.not.stringContaining('pw'),
    });
    expect(() => parse({ ...good, redfish_address: 'https://user:pw@bmc' })).toThrow(hidden);
  });
});

describe('validation', () => {
  it.each(['power', 'management'] as const)('of the %s interface names a CA file that cannot be read', async (kind) => {
    await using redfish = await setUpRedfish();
    const task = taskWith({ ...good, redfish_verify_ca: '/nowhere/ca.pem' });
    await expect(redfish.driver(kind, 'redfish').validate(task)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('redfish_verify_ca names /nowhere/ca.pem'),
    });
  });

  it.each(['power', 'management'] as const)('of the %s interface refuses a node without address', async (kind) => {
    await using redfish = await setUpRedfish();
    const error = { code: 'MISSING_PARAMETER', message: expect.stringContaining('redfish_address') };
    await expect(redfish.driver(kind, 'redfish').validate(taskWith({}))).rejects.toMatchObject(error);
  });
});

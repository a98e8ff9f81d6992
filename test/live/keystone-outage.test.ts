import { setTimeout as sleep } from 'node:timers/promises';
import { startOpenStack, type OpenStack } from '@ironbark/lab/openstack';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CinderSite } from './cinder-site.ts';

const tokenSeconds = 3;
/** A call has to outlast a token here. */
const settings = { url_timeout: tokenSeconds * 3, retries: 1, action_retries: 1 };

let openstack: OpenStack;
let site: CinderSite;

beforeAll(async () => {
  openstack = await startOpenStack({ tokenExpirationSeconds: tokenSeconds });
});

afterAll(async () => openstack?.stop());

beforeEach(async () => {
  site = await CinderSite.start(openstack, 1, settings);
  await site.createTargets(1);
});

afterEach(async () => {
  if (!openstack.keystone.isRunning) await openstack.keystone.start();
  await site.stop();
});

/** Returns when every token that was given out before is worthless. */
async function tokensExpire(): Promise<void> {
  await sleep((tokenSeconds + 1) * 1000);
}

async function restart(changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await site.kill();
  await site.startAgain({ ...settings, ...changes });
}

async function operate(target: 'active' | 'deleted') {
  const refusal = await site.request(target);
  return { ...(await site.settled()), refusal };
}

async function volumeStatus(): Promise<string> {
  return (await openstack.volume(site.volumeIds[0] ?? '')).status;
}

/** Proves that the node can be deployed and released, and that nothing is left over then. */
async function expectToGoOn(): Promise<void> {
  expect(await operate('active')).toMatchObject({ provision_state: 'active', last_error: null });
  expect(await volumeStatus()).toBe('in-use');
  expect(await operate('deleted')).toMatchObject({ provision_state: 'available', last_error: null });
  expect(await openstack.leaks()).toEqual([]);
  expect(await volumeStatus()).toBe('available');
}

describe('a token that expires while Cinder is asked', () => {
  it.each([
    ['active', 'PUT attachments/{id}', 'active'],
    ['deleted', 'DELETE attachments/{id}', 'available'],
  ] as const)('is replaced, and the call is made again (%s)', async (target, call, state) => {
    if (target === 'deleted') await operate('active');
    site.proxy.reset();
    site.proxy.inject({ call, fault: { kind: 'delay', until: tokensExpire() } });

    expect(await operate(target)).toMatchObject({ provision_state: state, last_error: null });
    expect(site.proxy.calls.filter(({ name }) => name === call)).toHaveLength(2);
    if (target === 'active') await operate('deleted');
    expect(await openstack.leaks()).toEqual([]);
  });
});

describe('without Keystone', () => {
  const unreachable = expect.stringMatching(
    /Keystone http:\S+: POST \/v3\/auth\/tokens failed: the connection was refused\. Check settings\.cinder\.auth_url/,
  ) as string;

  it('a conductor starts, says why it cannot deploy, and deploys when Keystone is back', async () => {
    await openstack.keystone.stop();
    await restart();
    expect(await operate('active')).toMatchObject({ provision_state: 'deploy failed', last_error: unreachable });
    await openstack.keystone.start();

    expect(await openstack.leaks()).toEqual([]);
    await expectToGoOn();
  });

  it('an attachment that is half done is known, and released when Keystone is back', async () => {
    site.proxy.onCall = async ({ name, nth }, moment) => {
      if (name !== 'PUT attachments/{id}' || nth > 1 || moment === 'after') return;
      await openstack.keystone.stop();
      await tokensExpire();
    };
    expect(await operate('active')).toMatchObject({ provision_state: 'deploy failed', last_error: unreachable });
    site.proxy.reset();
    await openstack.keystone.start();

    expect(await volumeStatus()).toBe('reserved');
    expect(await operate('deleted')).toMatchObject({ provision_state: 'available', last_error: null });
    expect(await openstack.leaks()).toEqual([]);
    await site.createTargets(1);
    await expectToGoOn();
  });

  it('a node that cannot be released keeps its volume until it can', async () => {
    await operate('active');
    await openstack.keystone.stop();
    await tokensExpire();
    expect(await operate('deleted')).toMatchObject({ provision_state: 'error', last_error: unreachable });
    await openstack.keystone.start();

    expect(await volumeStatus()).toBe('in-use');
    expect(await operate('deleted')).toMatchObject({ provision_state: 'available', last_error: null });
    expect(await openstack.leaks()).toEqual([]);
  });
});

describe('with a wrong password', () => {
  const password = 'not-the-password';
  const refused = expect.stringMatching(/Keystone http:\S+ refuses the credentials of settings\.cinder\./) as string;

  it('a deployment says so and holds nothing; with the right one it goes on', async () => {
    await restart({ password });
    expect(await operate('active')).toMatchObject({ provision_state: 'deploy failed', last_error: refused });
    expect(site.log).not.toContain(password);
    expect(await openstack.leaks()).toEqual([]);
    await restart();

    await expectToGoOn();
  });

  it('an undeployment keeps the volume; with the right one it releases it', async () => {
    await operate('active');
    await restart({ password });
    expect(await operate('deleted')).toMatchObject({ provision_state: 'error', last_error: refused });
    expect(await volumeStatus()).toBe('in-use');
    await restart();

    expect(await operate('deleted')).toMatchObject({ provision_state: 'available', last_error: null });
    expect(await openstack.leaks()).toEqual([]);
  });
});

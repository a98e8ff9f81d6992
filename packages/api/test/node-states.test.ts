import { beforeEach, describe, expect, it } from 'vitest';
import { fault, nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeEach(() => {
  api = startApi();
});

const own = (version: string) => ({ 'x-openstack-ironic-api-version': version });
const provision = (body: object, version = '1.78') =>
  api.call('PUT', '/v1/nodes/bfv-1/states/provision', body, own(version));
const power = (body: object, version = '1.78') => api.call('PUT', '/v1/nodes/bfv-1/states/power', body, own(version));

describe('a provision request', () => {
  it.each([
    ['active', 'deploy'],
    ['deleted', 'undeploy'],
    ['deploy', 'deploy'],
    ['undeploy', 'undeploy'],
    ['rebuild', 'rebuild'],
    ['manage', 'manage'],
    ['provide', 'provide'],
    ['abort', 'abort'],
    ['adopt', 'adopt'],
    ['inspect', 'inspect'],
    ['unrescue', 'unrescue'],
  ])('to %s asks the engine for %s', async (target, verb) => {
    const answer = await provision({ target });
    expect(answer.status).toBe(202);
    expect(answer.text).toBe('');
    expect(answer.headers).toMatchObject({
      'content-length': '0',
      location: 'http://localhost:80/v1/nodes/bfv-1/states',
    });
    expect(api.fake.calls).toEqual([['provision', 'bfv-1', { verb }]]);
  });

  it('hands over steps and a config drive', async () => {
    const steps = [{ interface: 'deploy', step: 'erase', args: { a: 1 } }];
    await provision({ target: 'clean', clean_steps: steps });
    await provision({
      target: 'active',
      configdrive: { meta_data: {} },
      deploy_steps: [{ ...steps[0], priority: 10 }],
    });
    expect(api.fake.calls.map(([, , request]) => request)).toEqual([
      { verb: 'clean', cleanSteps: steps },
      { verb: 'deploy', configdrive: { meta_data: {} }, deploySteps: [{ ...steps[0], priority: 10 }] },
    ]);
  });

  it.each([
    [{ target: 'sleep' }, '1.78', 400, 'while it is in state "enroll"'],
    [{ target: 'constructor' }, '1.78', 400, 'can not be performed'],
    [{ target: 'unhold' }, '1.80', 406, 'The target "unhold" needs API version 1.85'],
    [
      { target: 'manage', configdrive: 'AAAA' },
      '1.78',
      400,
      'only supported when setting provision state to active, rebuild',
    ],
    [{ target: 'rebuild', configdrive: 'AAAA' }, '1.34', 400, 'only supported when setting provision state to active'],
    [{ target: 'active', configdrive: {} }, '1.55', 400, 'starting with API version 1.56'],
    [{ target: 'active', configdrive: { vendor_data: {} } }, '1.58', 400, 'starting with API version 1.59'],
    [{ target: 'active', configdrive: { bogus: 1 } }, '1.78', 400, 'Invalid configdrive format: Field "bogus"'],
    [{ target: 'active', configdrive: '{"meta' }, '1.78', 400, 'neither a JSON, nor a URL, nor a base64'],
    [{ target: 'clean' }, '1.78', 400, '"clean_steps" is required'],
    [{ target: 'active', clean_steps: [{ interface: 'a', step: 'b' }] }, '1.78', 400, '"clean_steps" is only valid'],
    [{ target: 'clean', clean_steps: [{ interface: 'a' }] }, '1.78', 400, 'lacks the required field "step"'],
    [{ target: 'manage', deploy_steps: [{ interface: 'a', step: 'b' }] }, '1.78', 400, '"deploy_steps" is only valid'],
    [{ target: 'active', deploy_steps: [{ interface: 'a', step: 'b' }] }, '1.68', 406, 'deploy_steps'],
    [{ target: 'active', disable_ramdisk: true }, '1.78', 400, '"disable_ramdisk" is only valid'],
    [{ target: 'clean', disable_ramdisk: true }, '1.69', 406, 'disable_ramdisk'],
    [{ target: 'active', rescue_password: 'x' }, '1.78', 400, '"rescue_password" is only valid'],
    [{ target: 'rescue', rescue_password: ' ' }, '1.78', 400, 'A non-empty "rescue_password" is required'],
    [{ target: 'active', extra: 1 }, '1.78', 400, 'Field "extra" is not known here'],
    [{}, '1.78', 400, 'lacks the required field "target"'],
  ])('of %j with %s is refused with %i', async (body, version, status, message) => {
    const answer = await provision(body, version);
    expect(answer.status, answer.text).toBe(status);
    expect(fault(answer).faultstring).toContain(message);
    expect(api.fake.calls).toEqual([]);
  });

  it('aborts an inspection from 1.41 on', async () => {
    api.fake.change(nodeUuid, { provisionState: 'inspect wait' });
    expect((await provision({ target: 'abort' }, '1.40')).status).toBe(406);
    expect((await provision({ target: 'abort' }, '1.41')).status).toBe(202);
  });
});

describe('a power request', () => {
  it.each(['power on', 'power off', 'rebooting', 'soft power off', 'soft rebooting'])(
    'to %s is handed over',
    async (target) => {
      expect((await power({ target, timeout: 30 })).status).toBe(202);
      expect(api.fake.calls).toEqual([['power', 'bfv-1', target, 30]]);
    },
  );

  it.each([
    [{ target: 'soft power off' }, '1.26', 406],
    [{ target: 'power on', timeout: 1 }, '1.26', 406],
    [{ target: 'power on', timeout: 0 }, '1.78', 400],
    [{ target: 'power on', timeout: 1e300 }, '1.78', 400],
    [{ target: 'explode' }, '1.78', 400],
  ])('of %j with %s is refused with %i', async (body, version, status) => {
    expect((await power(body, version)).status).toBe(status);
    expect(api.fake.calls).toEqual([]);
  });

  it('for a node that there is not is 404 before anything else', async () => {
    expect((await api.call('PUT', '/v1/nodes/nowhere/states/power', { target: 'explode' })).status).toBe(404);
  });
});

describe('management', () => {
  it('sets the boot device for once, unless told otherwise', async () => {
    const url = '/v1/nodes/bfv-1/management/boot_device';
    const once = await api.call('PUT', url, { boot_device: 'pxe' });
    await api.call('PUT', url, { boot_device: 'disk', persistent: 'True' });
    expect(once.status).toBe(204);
    expect(api.fake.calls).toEqual([
      ['setBootDevice', 'bfv-1', 'pxe', false],
      ['setBootDevice', 'bfv-1', 'disk', true],
    ]);
  });

  it.each([
    ['boot_mode', 'uefi', ['setBootMode', 'bfv-1', 'uefi']],
    ['boot_mode', 'bios', ['setBootMode', 'bfv-1', 'bios']],
    ['secure_boot', true, ['setSecureBoot', 'bfv-1', true]],
    ['secure_boot', false, ['setSecureBoot', 'bfv-1', false]],
    ['secure_boot', 'on', ['setSecureBoot', 'bfv-1', true]],
    ['secure_boot', 'False', ['setSecureBoot', 'bfv-1', false]],
  ])('sets %s to %j', async (what, target, call) => {
    const answer = await api.call('PUT', `/v1/nodes/bfv-1/states/${what}`, { target }, own('1.76'));
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect(answer.headers['location']).toBe('http://localhost:80/v1/nodes/bfv-1/states');
    expect(api.fake.calls).toEqual([call]);
  });

  it.each([
    ['boot_mode', { target: 'legacy' }, '1.76', 400, 'target'],
    ['secure_boot', { target: 'maybe' }, '1.76', 400, 'target'],
    ['secure_boot', { target: null }, '1.76', 400, 'target'],
    ['secure_boot', { target: 1 }, '1.76', 400, 'target'],
    ['secure_boot', {}, '1.76', 400, 'target'],
    ['secure_boot', { target: true, force: true }, '1.76', 400, 'force'],
    ['boot_mode', { target: 'uefi' }, '1.75', 404, ''],
    ['secure_boot', { target: true }, '1.75', 404, ''],
  ])('refuses to set %s to %j with %s', async (what, body, version, status, word) => {
    const answer = await api.call('PUT', `/v1/nodes/bfv-1/states/${what}`, body, own(version));
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).toContain(word);
    expect(api.fake.calls).toEqual([]);
  });

  it('shows the boot mode and Secure Boot among the states', async () => {
    api.fake.change('bfv-1', { bootMode: 'uefi', secureBoot: true });
    const states = await api.call('GET', '/v1/nodes/bfv-1/states', undefined, own('1.75'));
    expect(states.body).toMatchObject({ boot_mode: 'uefi', secure_boot: true });
  });

  it('refuses what Ironbark has no drivers for the way a driver refuses', async () => {
    const answer = await api.call('PUT', '/v1/nodes/bfv-1/states/console', { enabled: true });
    expect(answer.status).toBe(400);
    expect(fault(answer).faultstring).toBe(
      'Driver fake-hardware does not support console (disabled or not implemented).',
    );
  });

  it('keeps traits sorted and each once', async () => {
    const url = '/v1/nodes/bfv-1/traits';
    expect((await api.call('PUT', url, { traits: ['CUSTOM_B', 'CUSTOM_A', 'CUSTOM_B'] })).status).toBe(204);
    expect((await api.call('PUT', `${url}/HW_CPU`)).headers['location']).toContain('/traits/HW_CPU');
    expect((await api.call('GET', url)).body).toEqual({ traits: ['CUSTOM_A', 'CUSTOM_B', 'HW_CPU'] });
    expect((await api.call('DELETE', `${url}/CUSTOM_A`)).status).toBe(204);
    expect((await api.call('DELETE', `${url}/CUSTOM_A`)).status).toBe(404);
    expect((await api.call('PUT', `${url}/lower`)).status).toBe(400);
    expect((await api.call('DELETE', url)).status).toBe(204);
    expect((await api.call('GET', url)).body).toEqual({ traits: [] });
  });

  it('calls vendor methods by path and by query, with any verb', async () => {
    const called = await api.call('POST', '/v1/nodes/bfv-1/vendor_passthru/echo', { a: 1 });
    expect([called.status, called.body]).toEqual([200, { a: 1 }]);
    const later = await api.call('DELETE', '/v1/nodes/bfv-1/vendor_passthru?method=later');
    expect([later.status, later.text]).toEqual([202, '']);
    expect((await api.call('POST', '/v1/nodes/bfv-1/vendor_passthru', {})).status).toBe(400);
    expect(api.fake.calls).toEqual([
      ['vendor', 'bfv-1', 'echo', 'POST', { a: 1 }],
      ['vendor', 'bfv-1', 'later', 'DELETE', {}],
    ]);
  });

  it('lists history in short and in detail', async () => {
    const uuid = '00000000-0000-4000-8000-0000000000aa';
    api.fake.historyRows.push({
      uuid,
      nodeUuid,
      conductor: 'c',
      event: 'x'.repeat(300),
      eventType: 'deploy',
      severity: 'ERROR',
      user: null,
      createdAt: '2026-01-01T00:00:00.000000+00:00',
    });
    const short = await api.call('GET', '/v1/nodes/bfv-1/history');
    expect(Object.keys(short.body.history[0])).toEqual(['uuid', 'created_at', 'severity', 'event', 'links']);
    expect(short.body.history[0].event).toHaveLength(255);
    const one = await api.call('GET', `/v1/nodes/bfv-1/history/${uuid}`);
    expect(one.body).toMatchObject({ event: 'x'.repeat(300), event_type: 'deploy', conductor: 'c', user: null });
    expect((await api.call('GET', '/v1/nodes/bfv-1/history/nothing')).status).toBe(404);
  });
});

import { secretText, Secret } from '@ironbark/core';
import type { Operation } from '@ironbark/store';
import { describe, expect, it } from 'vitest';
import { as, fault, headerAuth, nodeUuid, startApi } from './api-under-test.ts';

const operation: Operation = {
  uuid: '00000000-0000-4000-8000-0000000000ff',
  nodeUuid,
  verb: 'deploy',
  state: 'running',
  steps: [
    {
      name: 'storage.attach',
      state: 'running',
      compensation: false,
      attempts: 1,
      startedAt: '2026-01-01T00:00:00.000000+00:00',
      finishedAt: null,
      error: null,
    },
  ],
  parameters: { configdrive: Secret.of('hunter2') },
  error: null,
  createdAt: '2026-01-01T00:00:00.000000+00:00',
  finishedAt: null,
};

describe('operations', () => {
  it('are shown with their steps and without secrets', async () => {
    const api = startApi();
    api.fake.operationRows.push(operation);
    const { body, text } = await api.call('GET', '/ironbark/v1/nodes/bfv-1/operations');
    expect(text).not.toContain('hunter2');
    expect(body.operations).toHaveLength(1);
    expect(body.operations[0]).toMatchObject({
      uuid: operation.uuid,
      node_uuid: nodeUuid,
      steps: [{ name: 'storage.attach', state: 'running', attempts: 1, started_at: expect.any(String) }],
    });
    const one = await api.call('GET', `/ironbark/v1/operations/${operation.uuid}`);
    expect(one.body).toEqual(body.operations[0]);
    expect((await api.call('GET', `/ironbark/v1/operations/${nodeUuid}`)).status).toBe(404);
  });

  it('of a node of somebody else are not found', async () => {
    const api = startApi({ auth: headerAuth() });
    api.fake.operationRows.push(operation);
    const reader = as({ roles: ['reader'], project: 'p', system: false });
    const url = `/ironbark/v1/operations/${operation.uuid}`;
    expect((await api.call('GET', url, undefined, reader)).status).toBe(404);
    api.fake.change(nodeUuid, { owner: 'p' });
    expect((await api.call('GET', url, undefined, reader)).status).toBe(200);
  });
});

describe('the plan', () => {
  it('prints boot scripts with their secrets masked', async () => {
    const api = startApi();
    const engine = api.fake.asEngine();
    const plan = await engine.plan(nodeUuid);
    const content = secretText`set password ${Secret.of('hunter2')}`;
    api.fake.plan = {
      ...plan,
      artifacts: {
        files: [{ root: 'http', path: 'a', content }],
        links: [],
        bootDevice: 'pxe',
        warnings: [],
      },
    };
    const answer = await api.call('GET', '/ironbark/v1/nodes/bfv-1/plan');
    expect(answer.text).not.toContain('hunter2');
    expect(answer.body.artifacts).toEqual({
      files: [{ root: 'http', path: 'a', content: 'set password ******' }],
      links: [],
      boot_device: 'pxe',
      warnings: [],
    });
  });
});

describe('a boot report', () => {
  const url = (uuid: string, token: string, query = '') => `/ironbark/v1/boot-report/${uuid}?token=${token}${query}`;

  it('reaches the engine with the token of the node, and only in its known form', async () => {
    const api = startApi({ auth: headerAuth() });
    const answer = await api.call('GET', url(nodeUuid, 'right-token', '&errno=410d6183&drive=0x80&x=1'));
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers['content-length']).toBe('0');
    await api.call('GET', url(nodeUuid, 'right-token', '&errno=%0Aevil&drive=;'));
    expect(api.fake.calls).toEqual([
      ['bootReport', nodeUuid, { errno: '410d6183', drive: '0x80' }],
      ['bootReport', nodeUuid, {}],
    ]);
  });

  it('is refused in the same words for every wrong address', async () => {
    const api = startApi();
    const wrong = [
      url(nodeUuid, 'wrong-token'),
      url('00000000-0000-4000-8000-000000000000', 'right-token'),
      url('no-uuid', 'right-token'),
    ];
    const answers = await Promise.all(wrong.map((one) => api.call('GET', one)));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await api.call('HEAD', url(nodeUuid, 'right-token'))).status).toBe(405);
    expect(api.fake.calls).toEqual([]);
  });

  it('leaves no token in the log', async () => {
    const lines: unknown[] = [];
    const write = (...line: unknown[]) => void lines.push(line);
    const log = { debug: write, info: write, warn: write, error: write, child: () => log };
    const api = startApi({ log });
    await api.call('GET', url(nodeUuid, 'right-token'));
    await api.call('GET', url(nodeUuid, 'wrong-token'));
    await api.call('POST', url(nodeUuid, 'right-token'));
    expect(lines).not.toEqual([]);
    expect(JSON.stringify(lines)).not.toMatch(/(right|wrong)-token/);
  });
});

describe('health', () => {
  it('tells who serves', async () => {
    const { body } = await startApi().call('GET', '/ironbark/v1/health');
    expect(body).toMatchObject({ status: 'ok', hostname: 'fake-conductor', version: '0.0.0' });
  });

  it('does not mind the version of the Bare Metal API', async () => {
    const headers = { 'x-openstack-ironic-api-version': '9.99' };
    expect((await startApi().call('GET', '/ironbark/v1/health', undefined, headers)).status).toBe(200);
  });
});

describe('the metrics', () => {
  it('are sent in the type that Prometheus reads', async () => {
    const { headers, text } = await startApi().call('GET', '/ironbark/v1/metrics');
    expect([headers['content-type'], text]).toEqual([
      'text/plain; version=0.0.4; charset=utf-8',
      '# HELP ironbark_nodes Nodes.\n',
    ]);
  });

  it('are of the whole system, and not for readers of a project', async () => {
    const api = startApi({ auth: headerAuth() });
    const ask = (system: boolean) =>
      api.call('GET', '/ironbark/v1/metrics', undefined, as({ roles: ['reader'], project: 'p', system }));
    expect((await ask(false)).status).toBe(403);
    expect((await ask(true)).status).toBe(200);
  });
});

describe('the description of the API', () => {
  it('holds every route with its role, and only schemas that JSON can hold', async () => {
    const api = startApi();
    const { body } = await api.call('GET', '/ironbark/v1/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = api.app.apiRoutes
      .filter(({ config }) => config?.hidden !== true)
      .flatMap(({ method, url }) => [method].flat().map((one) => `${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`))
      .filter((route) => !route.startsWith('HEAD'));
    expect(described.toSorted()).toEqual(registered.toSorted());
    expect(body.paths['/v1/nodes/{ident}/states/power'].put).toMatchObject({
      'x-access': { rule: 'baremetal:node:set_power_state', role: 'member' },
      requestBody: { required: true },
      responses: { 202: { description: expect.any(String) } },
    });
    const operations = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap(Object.values);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });
});

describe('the event stream', () => {
  it('is not for a project that names no node', async () => {
    const api = startApi({ auth: headerAuth() });
    const reader = as({ roles: ['reader'], project: 'p', system: false });
    const answer = await api.call('GET', '/ironbark/v1/events', undefined, reader);
    expect(answer.status).toBe(403);
    expect(fault(answer).hint).toContain('?node=');
  });
});

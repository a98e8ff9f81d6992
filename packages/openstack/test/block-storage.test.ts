import { isSecret, Secret } from '@ironbark/core';
import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { createBlockStorage, type BlockStorage, type EndpointOptions } from '../src/index.ts';
import { createSession, endpoint, keystone, passwordAuth, projectId, refusal, soon, tokens } from './support/cloud.ts';

const id = '02fc6215-56c6-48c1-aa8d-9ea1a8069249';

interface Bench extends AsyncDisposable {
  readonly service: FakeService;
  readonly cinder: BlockStorage;
}

function versions(version: string | undefined): Handler {
  const v3 = { id: 'v3.0', status: 'CURRENT', ...(version === undefined ? {} : { version, min_version: '3.0' }) };
  return () => ({ json: { versions: [{ id: 'v2.0', version: '' }, v3] } });
}

/** @param options `override` stands behind the address of the server. */
async function start(
  handlers: Readonly<Record<string, Handler>>,
  options: Partial<EndpointOptions> & { readonly version?: string } = {},
): Promise<Bench> {
  const { version = '3.70', override, ...rest } = options;
  const service = await FakeService.start({ [tokens]: keystone(), 'GET /v3/': versions(version), ...handlers });
  const session = createSession(passwordAuth(service));
  const address = override === undefined ? null : `${service.address}${override}`;
  return {
    service,
    cinder: createBlockStorage(session, { endpoint: { ...endpoint, ...rest, override: address } }),
    async [Symbol.asyncDispose]() {
      await session.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

function volume(overrides: object = {}): object {
  return {
    id,
    name: null,
    status: 'available',
    size: 1,
    bootable: 'true',
    multiattach: false,
    metadata: {},
    attachments: [],
    ...overrides,
  };
}

const answerVolume = () => ({ json: { volume: volume() } });

describe('the microversion', () => {
  it.each([
    ['3.70', '3.70', true],
    ['3.99', '3.99', true],
    ['3.44', '3.44', true],
    ['3.43', '3.43', false],
    ['3.0', '3.0', false],
  ])('%s of the service is told', async (version, maxVersion, hasAttachments) => {
    await using bench = await start({}, { version });
    expect(await bench.cinder.capabilities(soon())).toEqual({ maxVersion, hasAttachments });
  });

  it.each([
    ['older', '3.50', 'volume 3.50'],
    ['newer', '3.99', 'volume 3.70'],
  ])('of a request to a service that is %s than this client', async (_title, version, expected) => {
    await using bench = await start({ [`GET /v3/${projectId}/volumes/${id}`]: answerVolume }, { version });
    await bench.cinder.getVolume(id, soon());
    expect(bench.service.requests.at(-1)?.headers['openstack-api-version']).toBe(expected);
  });

  it('is asked for once by callers at the same time and afterwards', async () => {
    await using bench = await start({});
    await Promise.all([bench.cinder.capabilities(soon()), bench.cinder.capabilities(soon())]);
    await bench.cinder.capabilities(soon());
    expect(bench.service.count('GET', '/v3/')).toBe(1);
  });

  it('is asked for again when that failed', async () => {
    const handler: Handler = (request, nth) => (nth === 1 ? { status: 403 } : versions('3.70')(request, nth));
    await using bench = await start({ 'GET /v3/': handler });
    await expect(bench.cinder.capabilities(soon())).rejects.toMatchObject({ code: 'OPENSTACK_FORBIDDEN' });
    await expect(bench.cinder.capabilities(soon())).resolves.toMatchObject({ maxVersion: '3.70' });
  });

  it.each([
    ['another service', { versions: [{ id: 'v2.1', version: '2.90' }] }],
    ['a service without microversions', { versions: [{ id: 'v3.0' }] }],
    ['something else', { version: { id: 'v3.14' } }],
  ])('of %s is an error', async (_title, json) => {
    await using bench = await start({ 'GET /v3/': () => ({ json }) });
    await expect(bench.cinder.capabilities(soon())).rejects.toMatchObject({
      code: 'OPENSTACK_MALFORMED',
      message: expect.stringContaining('names no version 3 of Block Storage'),
    });
  });
});

describe('the path of a request', () => {
  it.each([
    ['has the project of the catalogue', undefined, '3.70', `/v3/${projectId}`],
    ['has no project when the endpoint has none', '/v3', '3.67', '/v3'],
    ['has a project for an older service', '/v3', '3.66', `/v3/${projectId}`],
    ['begins with the version when the endpoint does not name it', '', '3.70', '/v3'],
    ['keeps what a proxy wants', '/v3/%(project_id)s', '3.70', `/v3/${projectId}`],
  ])('%s', async (_title, override, version, base) => {
    await using bench = await start(
      { [`GET ${base}/volumes/${id}`]: answerVolume },
      { version, ...(override === undefined ? {} : { override }) },
    );
    await expect(bench.cinder.getVolume(id, soon())).resolves.toMatchObject({ id });
  });

  it.each([
    ['has no project of ours', '3.70', '/v3'],
    ['has the project of the user for an older service', '3.50', '/v3/p1'],
  ])('%s in the name of a user', async (_title, version, base) => {
    await using bench = await start({ [`GET ${base}/volumes/${id}`]: answerVolume }, { version });
    await using session = createSession(passwordAuth(bench.service));
    const user = { token: Secret.of('user-token'), projectId: 'p1' };
    const cinder = createBlockStorage(session, { endpoint, user });
    await expect(cinder.getVolume(id, soon())).resolves.toMatchObject({ id });
    expect(bench.service.requests.at(-1)?.headers).toMatchObject({ 'x-auth-token': 'user-token' });
  });

  it('begins behind a proxy with what the proxy wants', async () => {
    const handlers = { 'GET /volume/v3/': versions('3.70'), [`GET /volume/v3/volumes/${id}`]: answerVolume };
    await using bench = await start(handlers, { override: '/volume/v3' });
    await expect(bench.cinder.getVolume(id, soon())).resolves.toMatchObject({ id });
  });

  it.each(['', '.', '..'])('never leads elsewhere for the id "%s"', async (wrong) => {
    await using bench = await start({});
    await expect(bench.cinder.getVolume(wrong, soon())).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });

  it('holds any other id as it is', async () => {
    await using bench = await start({ [`GET /v3/${projectId}/volumes/a%2F..%2Fb%3Fc`]: answerVolume });
    await expect(bench.cinder.getVolume('a/../b?c', soon())).resolves.toMatchObject({ id });
  });
});

describe('a volume', () => {
  it.each([
    ['what is empty', { name: '', attachments: [{ attachment_id: 'a', server_id: null, host_name: '' }] }],
    ['flags as truth values', { bootable: true, multiattach: true }],
    ['new fields', { shared_targets: null, consumes_quota: true }],
  ])('may have %s', async (_title, overrides) => {
    await using bench = await start({
      [`GET /v3/${projectId}/volumes/${id}`]: () => ({ json: { volume: volume(overrides) } }),
    });
    const { name, bootable, attachments } = await bench.cinder.getVolume(id, soon());
    expect([name, bootable]).toEqual([null, true]);
    expect(attachments.every(({ serverId, hostName }) => serverId === null && hostName === null)).toBe(true);
  });

  it.each([
    ['without a status', { volume: volume({ status: undefined }) }],
    ['without attachments', { volume: volume({ attachments: undefined }) }],
    ['that is missing', {}],
  ])('%s is an error', async (_title, json) => {
    await using bench = await start({ [`GET /v3/${projectId}/volumes/${id}`]: () => ({ json }) });
    await expect(bench.cinder.getVolume(id, soon())).rejects.toMatchObject({ code: 'OPENSTACK_MALFORMED' });
  });
});

describe('the list of marked volumes', () => {
  const first = `GET /v3/${projectId}/volumes/detail?all_tenants=1&limit=500`;
  const page = (more: boolean, ...volumes: readonly object[]): Answer => ({
    json: { volumes, ...(more ? { volumes_links: [{ rel: 'next', href: 'http://elsewhere/' }] } : {}) },
  });
  const marked = { metadata: { ironbark_node_1: '{}' } };

  it('goes through all pages and holds the marked ones', async () => {
    await using bench = await start({
      [first]: () => page(true, volume({ id: 'v1' }), volume({ id: 'v2', ...marked })),
      [`${first}&marker=v2`]: () => page(false, volume({ id: 'v3', ...marked }), volume({ id: 'v4' })),
    });
    const volumes = await bench.cinder.listVolumesMarked('ironbark_node_', soon());
    expect(volumes.map((found) => found.id)).toEqual(['v2', 'v3']);
  });

  it('begins anew when the last volume of a page is deleted', async () => {
    await using bench = await start({
      [first]: (_request, nth) => page(nth === 1, volume({ id: nth === 1 ? 'v1' : 'v2', ...marked })),
      [`${first}&marker=v1`]: () => refusal(404, 'itemNotFound', 'Volume v1 could not be found.'),
    });
    const volumes = await bench.cinder.listVolumesMarked('ironbark_node_', soon());
    expect(volumes.map((found) => found.id)).toEqual(['v2']);
  });

  it('gives up when that does not end', async () => {
    await using bench = await start({
      [first]: () => page(true, volume({ id: 'v1' })),
      [`${first}&marker=v1`]: () => refusal(404, 'itemNotFound', 'Volume v1 could not be found.'),
    });
    await expect(bench.cinder.listVolumesMarked('x', soon())).rejects.toMatchObject({ code: 'OPENSTACK_NOT_FOUND' });
    expect(bench.service.requests.filter(({ path }) => path.includes('detail'))).toHaveLength(6);
  });
});

describe('a connection', () => {
  const attachmentPath = `/v3/${projectId}/attachments/a1`;
  const properties = { target_iqn: 'iqn', target_lun: 1, auth_username: 'u', auth_password: 'chap-secret' };
  const connector = { host: 'node' };

  function attachment(info: object | undefined): Answer {
    const record = { id: 'a1', volume_id: id, instance: null, status: 'attaching', connection_info: info };
    return { json: { attachment: record } };
  }

  it.each([
    ['flat', { driver_volume_type: 'iscsi', ...properties }],
    ['nested', { driver_volume_type: 'iscsi', data: properties }],
  ])('is read from a %s answer, its password kept secret', async (_title, info) => {
    await using bench = await start({ [`PUT ${attachmentPath}`]: () => attachment(info) });
    const { connection } = await bench.cinder.updateAttachment('a1', connector, soon());
    expect(connection).toMatchObject({
      driverVolumeType: 'iscsi',
      data: { target_iqn: 'iqn', target_lun: 1, auth_username: 'u' },
    });
    expect(isSecret(connection?.data['auth_password'])).toBe(true);
  });

  it.each([
    ['is missing', undefined],
    ['is empty', {}],
    ['has no type', properties],
  ])('that %s is an error, and Cinder may have exported the volume', async (_title, info) => {
    await using bench = await start({ [`PUT ${attachmentPath}`]: () => attachment(info) });
    await expect(bench.cinder.updateAttachment('a1', connector, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_MALFORMED',
      mayHaveActed: true,
    });
  });

  it('of an attachment that has none yet is null', async () => {
    await using bench = await start({ [`GET ${attachmentPath}`]: () => attachment({}) });
    expect(await bench.cinder.findAttachment('a1', soon())).toMatchObject({ id: 'a1', connection: null });
  });

  it('of os-initialize_connection has to be there', async () => {
    const path = `POST /v3/${projectId}/volumes/${id}/action`;
    await using bench = await start({ [path]: () => ({ json: { connection_info: {} } }) });
    await expect(bench.cinder.initializeConnection(id, connector, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_MALFORMED',
    });
  });
});

describe('a call whose answer is lost', () => {
  const lostOnce: Handler = (_request, nth) => (nth === 1 ? { fault: 'reset' } : { status: 202 });
  const action = `POST /v3/${projectId}/volumes/${id}/action`;

  it.each([
    ['unreserve', (cinder: BlockStorage) => cinder.unreserve(id, soon())],
    ['terminateConnection', (cinder: BlockStorage) => cinder.terminateConnection(id, { host: 'n' }, soon())],
    ['attach', (cinder: BlockStorage) => cinder.attach(id, id, '/x', soon())],
    ['rollDetaching', (cinder: BlockStorage) => cinder.rollDetaching(id, soon())],
  ])('is made again: %s', async (_title, call) => {
    await using bench = await start({ [action]: lostOnce });
    await expect(call(bench.cinder)).resolves.toBeUndefined();
  });

  it.each([
    ['reserve', (cinder: BlockStorage) => cinder.reserve(id, soon())],
    ['beginDetaching', (cinder: BlockStorage) => cinder.beginDetaching(id, soon())],
    ['detach', (cinder: BlockStorage) => cinder.detach(id, null, soon())],
  ])('is left to the caller: %s', async (_title, call) => {
    await using bench = await start({ [action]: lostOnce });
    await expect(call(bench.cinder)).rejects.toMatchObject({ code: 'OPENSTACK_UNREACHABLE', mayHaveActed: true });
    expect(bench.service.count('POST', action.slice(5))).toBe(1);
  });

  it('is left to the caller: createAttachment, since there would be two', async () => {
    await using bench = await start({ [`POST /v3/${projectId}/attachments`]: lostOnce });
    await expect(bench.cinder.createAttachment(id, id, soon())).rejects.toMatchObject({ mayHaveActed: true });
  });
});

describe('what is gone already', () => {
  const gone = () => refusal(404, 'itemNotFound', 'It could not be found.');
  const proxy = () => ({ status: 404, text: '<html>', headers: { 'content-type': 'text/html' } });
  const everywhere = (handler: Handler) => ({
    [`DELETE /v3/${projectId}/attachments/a1`]: handler,
    [`GET /v3/${projectId}/attachments/a1`]: handler,
    [`DELETE /v3/${projectId}/volumes/${id}/metadata/key`]: handler,
    [`GET /v3/${projectId}/volumes/${id}`]: handler,
  });
  const calls = [
    ['an attachment', (cinder: BlockStorage) => cinder.deleteAttachment('a1', soon())],
    ['a key of the metadata', (cinder: BlockStorage) => cinder.deleteVolumeMetadata(id, 'key', soon())],
    ['the attachment that is looked for', (cinder: BlockStorage) => cinder.findAttachment('a1', soon())],
  ] as const;

  it.each(calls)('is no error: %s', async (_title, call) => {
    await using bench = await start(everywhere(gone));
    await expect(call(bench.cinder)).resolves.toBeUndefined();
  });

  it.each(calls)('is for Cinder to say, not for a proxy: %s', async (_title, call) => {
    await using bench = await start(everywhere(proxy));
    await expect(call(bench.cinder)).rejects.toMatchObject({ code: 'OPENSTACK_MALFORMED' });
  });

  it('is an error where it is needed: a volume', async () => {
    await using bench = await start(everywhere(gone));
    await expect(bench.cinder.getVolume(id, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_NOT_FOUND',
      httpStatus: 404,
    });
  });
});

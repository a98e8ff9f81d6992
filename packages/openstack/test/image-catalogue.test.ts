import { FakeService, type Answer, type Handler } from '@ironbark/lab/fake-service';
import { describe, expect, it } from 'vitest';
import { createImageCatalogue, type EndpointOptions, type ImageCatalogue } from '../src/index.ts';
import { createSession, endpoint, keystone, passwordAuth, soon, tokens } from './support/cloud.ts';

const id = '6d1c4f0e-3cf8-4b0f-9a41-0a6c2ad0a8c1';
const image = `GET /v2/images/${id}`;

interface Bench extends AsyncDisposable {
  readonly service: FakeService;
  readonly glance: ImageCatalogue;
}

/** @param options `override` stands behind the address of the server. */
async function start(
  handlers: Readonly<Record<string, Handler>>,
  { override = '', ...rest }: Partial<EndpointOptions> = {},
): Promise<Bench> {
  const service = await FakeService.start({ [tokens]: keystone(), ...handlers });
  const session = createSession(passwordAuth(service));
  const glance = createImageCatalogue(session, {
    endpoint: { ...endpoint, ...rest, override: override === null ? null : `${service.address}${override}` },
  });
  return {
    service,
    glance,
    async [Symbol.asyncDispose]() {
      await session.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const record = (overrides: object = {}) => ({
  id,
  name: 'kernel',
  status: 'active',
  visibility: 'private',
  owner: 'p1',
  size: 3,
  checksum: 'ABC',
  os_hash_algo: 'sha512',
  os_hash_value: 'DEF',
  disk_format: 'aki',
  container_format: 'bare',
  updated_at: '2026-01-01T00:00:00Z',
  ...overrides,
});

const answering = (overrides?: object) => ({ [image]: () => ({ json: record(overrides) }) });

/** An error as Glance shapes it. */
const missing = () => ({ status: 404, json: { message: 'No image.<br /><br />\n', code: '404 Not Found' } });

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an image', () => {
  it('has what Glance says', async () => {
    await using bench = await start(answering());
    expect(await bench.glance.findImage(id, soon())).toEqual({
      id,
      name: 'kernel',
      status: 'active',
      visibility: 'private',
      owner: 'p1',
      sizeBytes: 3,
      checksum: { algorithm: 'sha512', value: 'def' },
      diskFormat: 'aki',
      containerFormat: 'bare',
      updatedAt: '2026-01-01T00:00:00Z',
      properties: {},
    });
  });

  it.each([
    ['sha256 where Glance is told to use it', { os_hash_algo: 'sha256' }, { algorithm: 'sha256', value: 'def' }],
    ['MD5 of an old Glance', { os_hash_algo: null, os_hash_value: null }, { algorithm: 'md5', value: 'abc' }],
    ['MD5 beside a hash of another kind', { os_hash_algo: 'sha384' }, { algorithm: 'md5', value: 'abc' }],
    ['none', { os_hash_algo: 'sha384', checksum: null }, null],
  ])('has the checksum: %s', async (_title, overrides, checksum) => {
    await using bench = await start(answering(overrides));
    expect(await bench.glance.findImage(id, soon())).toMatchObject({ checksum });
  });

  it('has the texts that users added, whatever their names, and nothing else as properties', async () => {
    const added = { kernel_id: 'k', constructor: 'c', toString: 't' };
    const known = { tags: ['x'], min_disk: 1, self: '/v2', file: '/v2', schema: '/v2', direct_url: 'file:///x' };
    await using bench = await start(answering({ ...known, ...added, stores: 'file', created_at: 'x' }));
    expect((await bench.glance.findImage(id, soon()))?.properties).toEqual(added);
  });

  it('without content has no size and no checksum', async () => {
    const nothing = { size: null, checksum: null, os_hash_algo: null, os_hash_value: null };
    await using bench = await start(answering({ status: 'queued', ...nothing }));
    expect(await bench.glance.findImage(id, soon())).toMatchObject({ sizeBytes: null, checksum: null });
  });

  it('that is missing is undefined', async () => {
    await using bench = await start({ [image]: missing });
    expect(await bench.glance.findImage(id, soon())).toBeUndefined();
  });

  it.each([
    ['a proxy that does not know it', { status: 404, text: '<html>' }],
    ['an answer that lacks things', { json: { id } }],
    ['an answer of another form', { json: [] }],
  ] satisfies readonly (readonly [string, Answer])[])('is not read from %s', async (_title, answer) => {
    await using bench = await start({ [image]: () => answer });
    await expect(bench.glance.findImage(id, soon())).rejects.toMatchObject({ code: 'OPENSTACK_MALFORMED' });
  });

  it.each(['', '.', '..'])('is not asked for by what is no id: %j', async (wrong) => {
    await using bench = await start({});
    await expect(bench.glance.findImage(wrong, soon())).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect(bench.service.requests.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('is asked for by an id that stays one part of the path', async () => {
    await using bench = await start({ 'GET /v2/images/a%2F..%2Fb%3Fc': missing });
    expect(await bench.glance.findImage('a/../b?c', soon())).toBeUndefined();
  });

  it.each(['', '/', '/v2', '/v2/'])('is found at an endpoint that ends in %j', async (override) => {
    await using bench = await start(answering(), { override });
    expect(await bench.glance.findImage(id, soon())).toMatchObject({ id });
  });

  it('is looked for in a catalogue that has no image service', async () => {
    await using bench = await start({}, { override: null });
    await expect(bench.glance.findImage(id, soon())).rejects.toMatchObject({ code: 'OPENSTACK_NO_ENDPOINT' });
  });
});

it('members of an image are projects with their answer', async () => {
  const members = [{ member_id: 'p2', status: 'accepted', image_id: id, schema: '/v2' }];
  await using bench = await start({ [`${image}/members`]: () => ({ json: { members } }) });
  expect(await bench.glance.listMembers(id, soon())).toEqual([{ projectId: 'p2', status: 'accepted' }]);
});

describe('the content', () => {
  const file = `${image}/file`;

  it('is streamed, with its length', async () => {
    await using bench = await start({ [file]: () => ({ text: 'abc' }) });
    const content = await bench.glance.content(id, soon());
    expect([content.lengthBytes, await textOf(content)]).toEqual([3, 'abc']);
  });

  it('is asked for with another token when ours has expired', async () => {
    const expired: Handler = ({ headers }) =>
      headers['x-auth-token'] === 'token-1' ? { status: 401 } : { text: 'abc' };
    await using bench = await start({ [file]: expired });
    expect(await textOf(await bench.glance.content(id, soon()))).toBe('abc');
  });

  it('may begin later', async () => {
    const rest: Handler = ({ headers }) =>
      headers['range'] === 'bytes=1-'
        ? { status: 206, text: 'bc', headers: { 'content-range': 'bytes 1-2/3' } }
        : { status: 500 };
    await using bench = await start({ [file]: rest });
    expect(await textOf(await bench.glance.content(id, soon(), 1))).toBe('bc');
  });

  it.each([
    ['everything', { text: 'abc' }],
    ['another part', { status: 206, text: 'c', headers: { 'content-range': 'bytes 2-2/3' } }],
  ] satisfies readonly (readonly [string, Answer])[])(
    'is not taken for the rest when it is %s',
    async (_title, answer) => {
      await using bench = await start({ [file]: () => answer });
      await expect(bench.glance.content(id, soon(), 1)).rejects.toMatchObject({
        code: 'OPENSTACK_MALFORMED',
        message: expect.stringContaining('gave no content from byte 1 on'),
      });
    },
  );

  it('of an image that has none is refused', async () => {
    await using bench = await start({ [file]: () => ({ status: 204 }) });
    await expect(bench.glance.content(id, soon())).rejects.toThrow('gave no content (HTTP 204)');
  });

  it('that Glance refuses says why', async () => {
    const deactivated = { message: 'The requested image has been deactivated.<br /><br />\n', code: '403 Forbidden' };
    await using bench = await start({ [file]: () => ({ status: 403, json: deactivated }) });
    await expect(bench.glance.content(id, soon())).rejects.toMatchObject({
      code: 'OPENSTACK_FORBIDDEN',
      message: expect.stringMatching(/: The requested image has been deactivated\.$/),
    });
  });

  it('that breaks off is told as such', async () => {
    await using bench = await start({ [file]: () => ({ text: 'abc', fault: 'truncated' }) });
    const content = await bench.glance.content(id, soon());
    await expect(textOf(content)).rejects.toMatchObject({
      code: 'OPENSTACK_UNREACHABLE',
      retryable: true,
      mayHaveActed: false,
    });
  });

  it('is asked for again while the service is not there', async () => {
    await using bench = await start({ [file]: (_request, nth) => (nth === 1 ? { status: 503 } : { text: 'abc' }) });
    expect(await textOf(await bench.glance.content(id, soon()))).toBe('abc');
  });

  it('is not followed to another host, which would get our token', async () => {
    const location = 'http://127.0.0.1:1/file';
    await using bench = await start({ [file]: () => ({ status: 302, headers: { location } }) });
    await expect(bench.glance.content(id, soon())).rejects.toThrow(`gave a redirection to ${location}`);
  });
});

import { readFile, stat } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { file, ImageServer, tagged } from './support/image-server.ts';
import { namesIn, openBench, read, taskOf, urlImage } from './support/library.ts';

describe('an image at a URL', () => {
  it('is fetched into a file that only the conductor reads', async () => {
    const server = await ImageServer.start(file('kernel'));
    const bench = await openBench();
    const mode = await bench.images.withFile(urlImage(server.url), taskOf(), async (path) => (await stat(path)).mode);
    expect((mode & 0o777).toString(8)).toBe('600');
    expect(await read(bench, urlImage(server.url))).toBe('kernel');
  });

  it('arrives as it is on the server, packed or not', async () => {
    const packed = gzipSync('initramfs');
    const server = await ImageServer.start(file(packed, { 'content-encoding': 'x-gzip' }));
    const { images } = await openBench();
    const copy = await images.withFile(urlImage(server.url), taskOf(), (path) => readFile(path));
    expect(copy.equals(packed)).toBe(true);
  });

  it('may have no length', async () => {
    const server = await ImageServer.start((response) => {
      response.write('ker');
      response.end('nel');
    });
    expect(await read(await openBench(), urlImage(server.url))).toBe('kernel');
  });

  it('may be empty', async () => {
    const server = await ImageServer.start(file(''));
    expect(await read(await openBench(), urlImage(server.url))).toBe('');
  });

  it('is not asked for before it is needed, so that its size is unknown', async () => {
    const server = await ImageServer.start(file('kernel'));
    const { images } = await openBench();
    expect(await images.describe(urlImage(server.url), taskOf())).toEqual({ sizeBytes: null, properties: {} });
    expect(server.requests).toEqual([]);
  });

  it('may be moved to another path', async () => {
    const server = await ImageServer.start((response, request) =>
      request.url === '/b' ? response.end('kernel') : response.writeHead(302, { location: '/b' }).end(),
    );
    expect(await read(await openBench(), urlImage(server.url))).toBe('kernel');
  });

  it('may be moved to another server', async () => {
    const other = await ImageServer.start(file('kernel'));
    const server = await ImageServer.start((response) => response.writeHead(301, { location: other.url }).end());
    expect(await read(await openBench(), urlImage(server.url))).toBe('kernel');
  });
});

describe('the copy of an image at a URL', () => {
  it.each([
    ['says that it has not changed', tagged('kernel', '"1"')],
    ['ignores conditions, by its entity tag', file('kernel', { etag: '"1"' })],
    ['ignores conditions, by its date', file('kernel', { 'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT' })],
  ])('is used as long as the server %s', async (_title, answer) => {
    const server = await ImageServer.start(answer);
    const bench = await openBench();
    await read(bench, urlImage(server.url));
    const [first] = await namesIn(bench);
    expect(await read(bench, urlImage(server.url))).toBe('kernel');
    expect(server.requests).toHaveLength(2);
    expect(await namesIn(bench)).toEqual([first]);
  });

  it.each([
    ['has another entity tag', tagged('kernel-1', '"1"'), tagged('kernel-2', '"2"')],
    [
      'has another date',
      file('kernel-1', { 'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
      file('kernel-2', { 'last-modified': 'Wed, 21 Oct 2026 07:28:01 GMT' }),
    ],
    [
      'has the same date and another length',
      file('kernel', { 'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
      file('kernel-2', { 'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
    ],
    ['has nothing to tell it by, not even a length', file('kernel-1'), file('kernel-2')],
  ])('is replaced when the image %s', async (_title, before, after) => {
    const server = await ImageServer.start(before);
    const bench = await openBench();
    await read(bench, urlImage(server.url));
    server.answer = after;
    expect(await read(bench, urlImage(server.url))).toBe('kernel-2');
    expect(await namesIn(bench)).toHaveLength(1);
  });

  it.each([
    ['nobody listens', (server: ImageServer) => server.stop()],
    ['it fails', (server: ImageServer) => (server.answer = (response) => response.writeHead(503).end())],
    ['it does not answer', (server: ImageServer) => (server.answer = () => {})],
    ['it drops connections', (server: ImageServer) => (server.answer = (response) => response.destroy())],
  ])('serves while the server is down, with a warning: %s', async (_title, breakDown) => {
    const server = await ImageServer.start(tagged('kernel', '"1"'));
    const bench = await openBench();
    await read(bench, urlImage(server.url));
    breakDown(server);
    expect(await read(bench, urlImage(server.url))).toBe('kernel');
    expect(bench.warnings).toEqual(['The image server does not answer: the copy in the cache is used.']);
  });

  it('does not serve when the server says that the image is gone', async () => {
    const server = await ImageServer.start(tagged('kernel', '"1"'));
    const bench = await openBench();
    await read(bench, urlImage(server.url));
    server.answer = (response) => response.writeHead(404).end('<html>');
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: `GET ${server.url} failed with HTTP 404.`,
    });
  });

  it('is another one for another query', async () => {
    const server = await ImageServer.start((response, request) => response.end(request.url));
    const bench = await openBench();
    expect(await read(bench, urlImage(`${server.url}?a`))).toBe('/image?a');
    expect(await read(bench, urlImage(`${server.url}?b`))).toBe('/image?b');
  });
});

describe('an image server', () => {
  it.each([
    ['moves the image in a circle', '/image'],
    ['moves it to a file', 'file:///etc/hostname'],
  ])('that %s is not followed', async (_title, location) => {
    const server = await ImageServer.start((response) => response.writeHead(302, { location }).end());
    await expect(read(await openBench(), urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: expect.stringContaining('gave a redirection to'),
    });
    expect(server.requests.length).toBeLessThan(10);
  });

  it('that is not there is named, and the query of a signed URL is not', async () => {
    const server = await ImageServer.start(file(''));
    server.stop();
    const bench = await openBench();
    const error = await read(bench, urlImage(`${server.url}?signature=secret`)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: `GET ${server.url} failed: the connection was refused.`,
      hint: expect.stringContaining('the URL of the image'),
      retryable: true,
    });
    expect(JSON.stringify(error)).not.toContain('secret');
  });
});

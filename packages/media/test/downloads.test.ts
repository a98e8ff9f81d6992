import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { file, ImageServer, tagged } from './support/image-server.ts';
import { namesIn, openBench, read, taskOf, urlImage } from './support/library.ts';

const gibOf = (bytes: number) => bytes / 2 ** 30;
const mebibyte = 2 ** 20;
/** A cache of so many MiB. */
const cacheOf = (mebibytes: number) => openBench({ cache_size_gib: gibOf(mebibytes * mebibyte) });
const image = (mebibytes: number) => Buffer.alloc(mebibytes * mebibyte, 'x');

describe('nodes that ask at the same time', () => {
  it('share one download', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await ImageServer.start(async (response, request) => {
      await asked.promise;
      tagged('kernel', '"1"')(response, request);
    });
    const bench = await openBench();
    const reads = [1, 2, 3].map(() => read(bench, urlImage(server.url)));
    await expect.poll(() => server.requests.length).toBe(1);
    asked.resolve();
    expect(await Promise.all(reads)).toEqual(['kernel', 'kernel', 'kernel']);
    expect(server.requests).toHaveLength(1);
  });

  it('get it also when the first of them gives up', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await ImageServer.start(async (response, request) => {
      await asked.promise;
      tagged('kernel', '"1"')(response, request);
    });
    const bench = await openBench();
    const controller = new AbortController();
    const first = read(bench, urlImage(server.url), taskOf({}, controller.signal));
    const second = read(bench, urlImage(server.url));
    await expect.poll(() => server.requests.length).toBe(1);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    asked.resolve();
    expect(await second).toBe('kernel');
    expect(server.requests).toHaveLength(1);
  });

  it('end the download when the last of them gives up, and leave nothing', async () => {
    const closed = Promise.withResolvers<string>();
    const server = await ImageServer.start((response) => {
      response.on('close', () => closed.resolve('closed'));
      response.writeHead(200, { 'content-length': 1000 }).write('x');
    });
    const bench = await openBench({ timeout: 60 });
    const controller = new AbortController();
    const reading = read(bench, urlImage(server.url), taskOf({}, controller.signal));
    await expect.poll(() => namesIn(bench)).toHaveLength(1);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
    expect(await closed.promise).toBe('closed');
    await expect.poll(() => namesIn(bench)).toEqual([]);
  });
});

describe('a download', () => {
  it('that breaks off begins again', async () => {
    const server = await ImageServer.start((response, request) => {
      if (server.requests.length > 2) return file('kernel')(response, request);
      return response.writeHead(200, { 'content-length': 6 }).write('ker', () => response.destroy());
    });
    const bench = await openBench();
    expect(await read(bench, urlImage(server.url))).toBe('kernel');
    expect(bench.warnings).toEqual(['A download broke off.', 'A download broke off.']);
  });

  it.each<[string, ImageServer['answer'], string]>([
    ['breaks off', (response) => response.write('x', () => response.destroy()), 'connection broke'],
    ['stalls', (response) => response.write('x'), 'the answer stopped in the middle'],
  ])('that always %s fails and leaves nothing', async (_title, answer, message) => {
    const server = await ImageServer.start((response, request) => {
      response.writeHead(200, { 'content-length': 100 });
      answer(response, request);
    });
    const bench = await openBench();
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: expect.stringContaining(message),
      retryable: true,
    });
    expect(await namesIn(bench)).toEqual([]);
  });

  it('is invisible until it is complete', async () => {
    const rest = Promise.withResolvers<void>();
    const server = await ImageServer.start(async (response) => {
      response.writeHead(200, { 'content-length': 6 }).write('ker');
      await rest.promise;
      response.end('nel');
    });
    const bench = await openBench();
    const reading = read(bench, urlImage(server.url));
    await expect.poll(() => namesIn(bench)).toEqual([expect.stringMatching(/^\.partial-/)]);
    rest.resolve();
    await reading;
    expect(await namesIn(bench)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.[0-9a-f]{16}$/)]);
  });

  it('does not change the file that somebody uses', async () => {
    const server = await ImageServer.start(file('old'));
    const bench = await openBench();
    const seen = await bench.images.withFile(urlImage(server.url), taskOf(), async (path) => {
      server.answer = file('new');
      return [await read(bench, urlImage(server.url)), await readFile(path, 'utf8')];
    });
    expect(seen).toEqual(['new', 'old']);
    expect(await namesIn(bench)).toHaveLength(1);
  });

  it('ends when the service is closed, and leaves nothing', async () => {
    const server = await ImageServer.start((response) => response.writeHead(200, { 'content-length': 9 }).write('x'));
    const bench = await openBench({ timeout: 60 });
    const reading = read(bench, urlImage(server.url)).catch((error: unknown) => error);
    await expect.poll(() => namesIn(bench)).toHaveLength(1);
    await bench.images.close();
    expect(await reading).toMatchObject({ code: 'OPERATION_ABORTED' });
    expect(await namesIn(bench)).toEqual([]);
  });
});

describe('the size of the cache', () => {
  it('refuses an image that is larger before it is fetched', async () => {
    const server = await ImageServer.start((response) =>
      response.writeHead(200, { 'content-length': 3 * mebibyte }).flushHeaders(),
    );
    const bench = await cacheOf(2);
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
      hint: expect.stringContaining('cache_size_gib'),
    });
    expect(await namesIn(bench)).toEqual([]);
  });

  it('ends the download of one that did not tell its size', async () => {
    const server = await ImageServer.start((response) => {
      response.write(image(2));
      response.end(image(1));
    });
    const bench = await cacheOf(2);
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(await namesIn(bench)).toEqual([]);
  });

  it('may be used up to the last byte, by one that did not tell its size', async () => {
    const server = await ImageServer.start((response) => {
      response.write(image(1));
      response.end(image(1));
    });
    expect(await read(await cacheOf(2), urlImage(server.url))).toHaveLength(2 * mebibyte);
  });

  it('lets go what was not used for the longest time', async () => {
    const server = await ImageServer.start((response, request) =>
      tagged('x'.repeat(mebibyte), '"1"')(response, request),
    );
    const bench = await cacheOf(2.5);
    const url = (name: string) => urlImage(`${server.url}-${name}`);
    await read(bench, url('a'));
    await read(bench, url('b'));
    await read(bench, url('a'));
    await read(bench, url('c'));
    expect(await namesIn(bench)).toHaveLength(2);
    const fetched = () => server.requests.filter(({ headers }) => headers['if-none-match'] === undefined).length;
    const before = fetched();
    await read(bench, url('a'));
    expect(fetched()).toBe(before);
    await read(bench, url('b'));
    expect(fetched()).toBe(before + 1);
  });

  it('keeps what is in use, and says so', async () => {
    const server = await ImageServer.start(file(image(1)));
    const bench = await cacheOf(1.5);
    const other = () => read(bench, urlImage(`${server.url}-other`));
    const outcome = await bench.images.withFile(urlImage(server.url), taskOf(), async (path) => {
      const error = await other().catch((reason: unknown) => reason);
      return { error, length: (await readFile(path)).length };
    });
    expect(outcome).toMatchObject({
      error: { code: 'IMAGE_NO_SPACE', retryable: true, message: expect.stringContaining('in use') },
      length: mebibyte,
    });
    expect(await other()).toHaveLength(mebibyte);
  });

  it('counts downloads that are under way', async () => {
    const rest = Promise.withResolvers<void>();
    const server = await ImageServer.start(async (response) => {
      response.writeHead(200, { 'content-length': mebibyte }).flushHeaders();
      await rest.promise;
      response.end(image(1));
    });
    const bench = await cacheOf(1.5);
    const first = read(bench, urlImage(server.url));
    await expect.poll(() => namesIn(bench)).toHaveLength(1);
    await expect(read(bench, urlImage(`${server.url}-other`))).rejects.toMatchObject({ code: 'IMAGE_NO_SPACE' });
    rest.resolve();
    expect(await first).toHaveLength(mebibyte);
  });
});

describe('the disk of the cache', () => {
  it('is asked for its free space before the download', async () => {
    const server = await ImageServer.start((response) =>
      response.writeHead(200, { 'content-length': 2 ** 49 }).flushHeaders(),
    );
    const bench = await openBench({ cache_size_gib: gibOf(2 ** 50) });
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_NO_SPACE',
      message: expect.stringContaining(`the disk of ${bench.cacheDirectory} is full`),
    });
    expect(await namesIn(bench)).toEqual([]);
  });

  it('may refuse a file, which is told in our words', async () => {
    const server = await ImageServer.start(file('kernel'));
    const bench = await openBench();
    await rm(bench.cacheDirectory, { recursive: true });
    await expect(read(bench, urlImage(server.url))).rejects.toMatchObject({
      code: 'IMAGE_CACHE_FAILED',
      message: expect.stringContaining(`could not be written to ${bench.cacheDirectory}`),
    });
  });
});

describe('a cache directory', () => {
  it('is taken over with what is complete in it, and nothing else of the cache stays', async () => {
    const server = await ImageServer.start(tagged('kernel', '"1"'));
    const first = await openBench();
    await read(first, urlImage(server.url));
    const [entry = ''] = await namesIn(first);
    for (const name of [`.partial-${'a'.repeat(16)}`, `${'b'.repeat(64)}.${'c'.repeat(16)}`, 'of-somebody-else']) {
      await mkdir(join(first.cacheDirectory, name));
    }
    const second = await openBench({ cache_directory: first.cacheDirectory });
    expect((await namesIn(first)).toSorted()).toEqual([entry, 'of-somebody-else'].toSorted());
    await read(second, urlImage(server.url));
    expect(server.requests.at(-1)?.headers['if-none-match']).toBe('"1"');
  });

  it('is brought to its size', async () => {
    const server = await ImageServer.start(file(image(2)));
    const first = await cacheOf(4);
    await read(first, urlImage(server.url));
    await openBench({ cache_directory: first.cacheDirectory, cache_size_gib: gibOf(1.1 * mebibyte) });
    expect(await namesIn(first)).toEqual([]);
  });

  it('whose copy was damaged gets another one', async () => {
    const server = await ImageServer.start(tagged('kernel', '"1"'));
    const bench = await openBench();
    await read(bench, urlImage(server.url));
    await writeFile(join(bench.cacheDirectory, (await namesIn(bench))[0] ?? '', 'image'), 'ker');
    expect(await read(bench, urlImage(server.url))).toBe('kernel');
  });

  it('that cannot be used is named', async () => {
    const cache_directory = join(import.meta.filename, 'cache');
    await expect(openBench({ cache_directory })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('settings.images.cache_directory'),
    });
  });
});

it('an outdated copy makes room for its successor, where both do not fit', async () => {
  const server = await ImageServer.start(file(image(2), { etag: '"1"' }));
  const bench = await cacheOf(3);
  await read(bench, urlImage(server.url));
  server.answer = file(Buffer.alloc(2 * mebibyte, 'y'), { etag: '"2"' });
  expect((await read(bench, urlImage(server.url))).at(0)).toBe('y');
});

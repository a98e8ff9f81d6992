import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HttpStream } from '../src/index.ts';
import { createClient, get, whenBroken, whenBusy } from './support/client.ts';

/** @returns the address of a server that ends with the test. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server whose answers differ each time; the last one stays. */
function serveInTurn(...answers: readonly ((response: ServerResponse, request: IncomingMessage) => unknown)[]) {
  let nth = 0;
  return serve((request, response) => {
    const answer = answers[Math.min(nth, answers.length - 1)];
    nth += 1;
    answer?.(response, request);
  });
}

function clientOf(...args: Parameters<typeof createClient>) {
  const made = createClient(...args);
  onTestFinished(() => made.client.close());
  return made;
}

const streamed = (url: string) => ({ ...get(url), mayLeaveHost: false });
const impatient = { connectTimeoutMs: 3000, requestTimeoutMs: 300, attempts: 1, retryIntervalMs: 1 };

async function readAll({ content }: HttpStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a stream', () => {
  it('may be larger than any reply, and tells its length', async () => {
    const sent = Buffer.alloc(1_000_000, 'x');
    const url = await serve((_request, response) =>
      response.writeHead(200, { 'content-length': sent.length }).end(sent),
    );
    const stream = await clientOf({ maxReplyBytes: 1000 }).client.stream(streamed(url));
    expect([stream.status, stream.content?.lengthBytes]).toEqual([200, 1_000_000]);
    expect((await readAll(stream)).equals(sent)).toBe(true);
  });

  it('may be of unknown length', async () => {
    const url = await serve((_request, response) => {
      response.write('a');
      response.end('b');
    });
    const stream = await clientOf().client.stream(streamed(url));
    expect([stream.content?.lengthBytes, String(await readAll(stream))]).toEqual([null, 'ab']);
  });

  it.each([
    ['HTTP/1.0 and a length', 'HTTP/1.0 200 OK\r\nContent-Length: 1000000'],
    ['HTTP/1.0 and no length', 'HTTP/1.0 200 OK'],
    ['a connection that is closed', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000000'],
    ['a connection that is closed, and no length', 'HTTP/1.1 200 OK\r\nConnection: close'],
  ])('is read whole by a slow reader from a server that answers with %s', async (_title, head) => {
    const sent = Buffer.alloc(1_000_000, 'x');
    const server = createTcpServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => socket.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), sent])));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { content } = await clientOf().client.stream(streamed(url));
    let bytes = 0;
    for await (const chunk of content ?? []) {
      bytes += chunk.length;
      // The rest of the body, and the end of the connection, arrive while nobody reads.
      await delay(10);
    }
    expect(bytes).toBe(sent.length);
  });

  it('arrives as it was sent, packed or not', async () => {
    const packed = gzipSync('content');
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    });
    expect((await readAll(await clientOf().client.stream(streamed(url)))).equals(packed)).toBe(true);
    expect(asked).toEqual(['identity']);
  });

  it('may take longer than a request as long as it goes on', async () => {
    const url = await serve(async (_request, response) => {
      for (let piece = 0; piece < 8; piece += 1) {
        response.write('x');
        await delay(100);
      }
      response.end();
    });
    const { client } = clientOf({ patience: impatient });
    expect(String(await readAll(await client.stream(streamed(url))))).toBe('x'.repeat(8));
  });

  it.each<[string, (response: ServerResponse) => unknown, object]>([
    ['is cut off', (response) => response.write('x', () => response.destroy()), { timedOut: false }],
    ['stops', (response) => response.write('x'), { timedOut: true, problem: 'the answer stopped in the middle' }],
  ])('that %s is a fault that may pass', async (_title, answer, facts) => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      answer(response);
    });
    const { client, sayings } = clientOf({ patience: impatient });
    const stream = await client.stream(streamed(url));
    await expect(readAll(stream)).rejects.toMatchObject({ code: 'TEST_UNREACHABLE' });
    expect(sayings.faults).toMatchObject([{ retryable: true, ...facts }]);
  });

  it('whose beginning does not come in time is a fault', async () => {
    const url = await serve(() => {});
    const { client, sayings } = clientOf({ patience: impatient });
    await expect(client.stream(streamed(url))).rejects.toMatchObject({ code: 'TEST_UNREACHABLE' });
    expect(sayings.faults).toMatchObject([{ timedOut: true, problem: 'the host did not answer in time' }]);
  });

  describe('that is given up', () => {
    /** The first piece of an endless answer; the promise tells that its connection is gone. */
    async function openEndless(signal: AbortSignal = AbortSignal.timeout(4000)) {
      const closed = Promise.withResolvers<string>();
      const url = await serve((_request, response) => {
        response.on('close', () => closed.resolve('closed'));
        response.writeHead(200, { 'content-length': 100 }).write('x');
      });
      const stream = await clientOf().client.stream({ ...streamed(url), signal });
      return { stream, closed: closed.promise };
    }

    it('by an abort throws its reason', async () => {
      const controller = new AbortController();
      const { stream, closed } = await openEndless(controller.signal);
      const reading = readAll(stream);
      controller.abort();
      await expect(reading).rejects.toMatchObject({ code: 'OPERATION_ABORTED' });
      expect(await closed).toBe('closed');
    });

    it('by its reader ends the connection', async () => {
      const { stream, closed } = await openEndless();
      for await (const chunk of stream.content ?? []) {
        expect(String(chunk)).toBe('x');
        break;
      }
      expect(await closed).toBe('closed');
    });

    it('before anybody reads ends the connection', async () => {
      const { stream, closed } = await openEndless();
      stream.content?.close();
      expect(await closed).toBe('closed');
    });
  });
});

describe('an answer without a stream', () => {
  it('has the body of a refusal', async () => {
    const url = await serve((_request, response) => response.writeHead(403).end('{"message": "no"}'));
    expect(await clientOf().client.stream(streamed(url))).toMatchObject({
      status: 403,
      body: { message: 'no' },
      content: null,
    });
  });

  it('is bounded', async () => {
    const url = await serve((_request, response) => response.writeHead(403).end(Buffer.alloc(20_000)));
    await expect(clientOf().client.stream(streamed(url))).rejects.toThrow('larger than any resource');
  });

  it('says that nothing has changed', async () => {
    const url = await serve((_request, response) => response.writeHead(304, { etag: '"1"' }).end());
    expect(await clientOf().client.stream(streamed(url))).toMatchObject({ status: 304, content: null });
  });

  it('is asked for again where the request says so', async () => {
    const url = await serveInTurn(
      (response) => response.writeHead(503).end(),
      (response) => response.end('x'),
    );
    const stream = await clientOf().client.stream({ ...streamed(url), isWorthRepeating: whenBusy });
    expect(String(await readAll(stream))).toBe('x');
  });

  it('is asked for again when the connection breaks before it', async () => {
    const url = await serveInTurn(
      (response) => response.destroy(),
      (response) => response.end('x'),
    );
    const stream = await clientOf().client.stream({ ...streamed(url), isWorthRepeating: whenBroken });
    expect(String(await readAll(stream))).toBe('x');
  });
});

describe('a redirection of a stream', () => {
  const toPath = (location: string) => (response: ServerResponse) => response.writeHead(302, { location }).end('moved');

  it('is followed on the same host', async () => {
    const url = await serveInTurn(toPath('/b'), (response, request) => response.end(request.url));
    expect(String(await readAll(await clientOf().client.stream(streamed(url))))).toBe('/b');
  });

  it('is followed to another host where the request says so', async () => {
    const other = await serve((_request, response) => response.end('other'));
    const url = await serveInTurn(toPath(`${other}/`));
    const stream = await clientOf().client.stream({ ...streamed(url), mayLeaveHost: true });
    expect(String(await readAll(stream))).toBe('other');
    await expect(clientOf().client.stream(streamed(url))).rejects.toThrow(`a redirection to ${other}/`);
  });

  it.each([
    ['a file', 'file:///etc/passwd', 'a redirection to file:///etc/passwd'],
    ['data', 'data:,x', 'a redirection to data:'],
    ['nothing', 'http://[', 'a redirection to no address'],
    ['itself without end', '/', 'a redirection to http://127'],
  ])('to %s is refused', async (_title, location, message) => {
    const url = await serveInTurn(toPath(location));
    const call = clientOf().client.stream({ ...streamed(url), mayLeaveHost: true });
    await expect(call).rejects.toMatchObject({ code: 'TEST_MALFORMED', message: expect.stringContaining(message) });
  });
});

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@ironbark/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpFileServer } from '../src/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let directory: string;
let root: string;
let server: HttpFileServer;

beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory, 'root');
  await mkdir(join(root, 'node'), { recursive: true });
  await writeFile(join(root, 'node', 'config'), '0123456789');
  await writeFile(join(directory, 'secret'), 'secret');
  server = await HttpFileServer.start({ host: '127.0.0.1', port: 0, root, log: silentLogger });
});

afterEach(() => server.close());

/** Sends the path as it is: other clients tidy it up first. */
async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const call = request({ ...server.address, path, method, headers, agent: false }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** For what node's client refuses to send. */
async function statusOf(requestLine: string): Promise<string> {
  const socket = connect(server.address.port, '127.0.0.1');
  socket.end(`${requestLine}\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return (await text(socket)).split(' ')[1] ?? '';
}

describe('a file', () => {
  it('is sent whole, with its length, type and validators', async () => {
    const { status, headers, body } = await get('/node/config');
    expect([status, body]).toEqual([200, '0123456789']);
    expect(headers).toMatchObject({
      'content-length': '10',
      'content-type': 'text/plain; charset=utf-8',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^"[^"]+"$/) as unknown,
      'last-modified': expect.stringMatching(/GMT$/) as unknown,
    });
  });

  it('is described without its content on HEAD', async () => {
    const { status, headers, body } = await get('/node/config', { Range: 'bytes=0-1' }, 'HEAD');
    expect([status, headers['content-length'], body]).toEqual([200, '10', '']);
  });

  it('is found through links inside the root and with escapes, a query or an absolute address', async () => {
    await symlink('node/config', join(root, 'link'));
    const paths = ['/link', '/n%6Fde/config', '//node//config', '/node/config?a=b', 'http://other.example/node/config'];
    const answers = await Promise.all(paths.map((path) => get(path)));
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(paths.map(() => '200 0123456789'));
  });

  it.each([
    ['vmlinuz', 'application/octet-stream'],
    ['boot.ipxe', 'text/plain; charset=utf-8'],
    ['a.efi', 'application/efi'],
    ['a.ISO', 'application/x-iso9660-image'],
  ])('named %s has the type %s', async (name, type) => {
    await writeFile(join(root, name), 'a');
    expect((await get(`/${name}`)).headers['content-type']).toBe(type);
  });

  it('may be empty', async () => {
    await writeFile(join(root, 'empty'), '');
    const { status, headers, body } = await get('/empty');
    expect([status, headers['content-length'], body]).toEqual([200, '0', '']);
  });

  it('may be larger than any buffer', async () => {
    const content = 'x'.repeat(3_000_000);
    await writeFile(join(root, 'large'), content);
    expect((await get('/large')).body === content).toBe(true);
  });

  it('is sent as it was when it is replaced during the transfer', async () => {
    const content = 'x'.repeat(20_000_000);
    await writeFile(join(root, 'large'), content);
    const call = request({ ...server.address, path: '/large', agent: false }).end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    await writeFile(join(root, 'new'), 'short');
    await rename(join(root, 'new'), join(root, 'large'));
    expect((await text(response)).length).toBe(content.length);
  });
});

describe('a range', () => {
  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
  ])('%s is sent alone', async (range, body, contentRange) => {
    const answer = await get('/node/config', { Range: range });
    expect([answer.status, answer.body]).toEqual([206, body]);
    expect(answer.headers).toMatchObject({ 'content-range': contentRange, 'content-length': String(body.length) });
  });

  it('beyond the end is refused with the size', async () => {
    const { status, headers, body } = await get('/node/config', { Range: 'bytes=10-' });
    expect([status, headers['content-range'], body]).toEqual([416, 'bytes */10', '']);
  });

  it('of a file that was replaced meanwhile is answered with the whole file', async () => {
    const { headers } = await get('/node/config');
    await writeFile(join(root, 'node', 'config'), 'abcdefghijk');
    const answer = await get('/node/config', { Range: 'bytes=5-', 'If-Range': headers.etag ?? '' });
    expect([answer.status, answer.body]).toEqual([200, 'abcdefghijk']);
  });

  it('of the same file is sent when the client asks for that', async () => {
    const { headers } = await get('/node/config');
    for (const condition of [headers.etag, headers['last-modified']]) {
      expect((await get('/node/config', { Range: 'bytes=5-', 'If-Range': condition ?? '' })).status).toBe(206);
    }
  });
});

describe('a client that has the file already', () => {
  it('is told so by the tag', async () => {
    const { headers } = await get('/node/config');
    const { status, body } = await get('/node/config', { 'If-None-Match': `"other", W/${headers.etag}` });
    expect([status, body]).toEqual([304, '']);
  });

  it('is told so by the time', async () => {
    const { headers } = await get('/node/config');
    const since = headers['last-modified'] ?? '';
    expect((await get('/node/config', { 'If-Modified-Since': since })).status).toBe(304);
    await utimes(join(root, 'node', 'config'), new Date(), new Date(Date.now() + 5000));
    expect((await get('/node/config', { 'If-Modified-Since': since })).status).toBe(200);
  });

  it('gets the new one after it was replaced by one of the same size and time', async () => {
    await utimes(join(root, 'node', 'config'), 1000, 1000);
    const { headers } = await get('/node/config');
    await writeFile(join(root, 'other'), 'abcdefghij');
    await utimes(join(root, 'other'), 1000, 1000);
    await rename(join(root, 'other'), join(root, 'node', 'config'));
    const conditions = { 'If-None-Match': headers.etag ?? '', 'If-Modified-Since': headers['last-modified'] ?? '' };
    expect((await get('/node/config', conditions)).body).toBe('abcdefghij');
  });
});

describe('what is not found', () => {
  it.each([
    ['a file that does not exist', '/node/none'],
    ['a directory', '/node'],
    ['a directory with a slash', '/node/'],
    ['the root', '/'],
    ['a file taken for a directory', '/node/config/x'],
    ['the parent', '/../secret'],
    ['the parent in the middle', '/node/../../secret'],
    ['an escaped parent', '/%2e%2e/secret'],
    ['a half escaped parent', '/node/.%2E/%2e./secret'],
    ['an escaped slash', '/node%2fconfig'],
    ['an escaped way up', '/..%2fsecret'],
    ['a backslash', '/..%5csecret'],
    ['NUL', '/node/config%00'],
    ['NUL in front of an ending', '/node/config%00.txt'],
    ['a line break', '/node/config%0A'],
    ['a bad escape', '/node/%zz'],
    ['half of a character', '/node/%c3'],
    ['a staging file', '/node/.config.new'],
    ['a name that is too long', `/${'a'.repeat(5000)}`],
    ['an address without a path', 'http://other.example'],
    ['another protocol', 'ftp://other.example/node/config'],
  ])('is %s', async (_, path) => {
    await writeFile(join(root, 'node', '.config.new'), 'half');
    const { status, body } = await get(path);
    expect([status, body]).toEqual([404, '']);
  });

  it('is a request target that is no path', async () => {
    expect(await statusOf('GET * HTTP/1.1')).toBe('404');
    expect(await statusOf('GET ../secret HTTP/1.1')).toMatch(/^40[04]$/);
  });

  it('is a link that leads out of the root, directly or by its directory', async () => {
    await symlink(join(directory, 'secret'), join(root, 'absolute'));
    await symlink('../secret', join(root, 'relative'));
    await symlink('..', join(root, 'up'));
    await symlink('/', join(root, 'slash'));
    await symlink('loop', join(root, 'loop'));
    const paths = ['/absolute', '/relative', '/up/secret', `/slash${directory}/secret`, '/loop'];
    const answers = await Promise.all(paths.map((path) => get(path)));
    expect(answers.map(({ status, body }) => `${status}${body}`)).toEqual(paths.map(() => '404'));
  });

  it('is a directory whose name only begins like the root', async () => {
    await mkdir(`${root}-other`);
    await writeFile(join(`${root}-other`, 'file'), 'secret');
    await symlink(`${root}-other/file`, join(root, 'near'));
    expect((await get('/near')).status).toBe(404);
  });

  it('is anything that is no regular file', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect((await get('/pipe')).status).toBe(404);
  });
});

describe('the server', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('refuses %s', async (method) => {
    const { status, headers } = await get('/node/config', {}, method);
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('serves a root that is reached through a link', async () => {
    await symlink(root, join(directory, 'alias'));
    const other = await HttpFileServer.start({
      host: '127.0.0.1',
      port: 0,
      root: join(directory, 'alias'),
      log: silentLogger,
    });
    try {
      const response = await fetch(`http://127.0.0.1:${other.address.port}/node/config`);
      expect(await response.text()).toBe('0123456789');
    } finally {
      await other.close();
    }
  });

  it('says which address is taken', async () => {
    const { host, port } = server.address;
    const second = HttpFileServer.start({ host, port, root, log: silentLogger });
    await expect(second).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(second).rejects.toThrow(String(port));
  });

  it('stops although a machine keeps its connection and another does not read on', async () => {
    await writeFile(join(root, 'large'), 'x'.repeat(50_000_000));
    const { port } = server.address;
    const [idle, stalled] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    idle.write('GET /node/config HTTP/1.1\r\nHost: a\r\n\r\n');
    stalled.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await Promise.all([once(idle, 'data'), once(stalled, 'data')]);
    stalled.pause();
    await server.close();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
    idle.destroy();
    stalled.destroy();
  });

  it('goes on when a client hangs up in the middle', async () => {
    await writeFile(join(root, 'large'), 'x'.repeat(50_000_000));
    const socket = connect(server.address.port, '127.0.0.1');
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    expect((await get('/node/config')).status).toBe(200);
  });
});

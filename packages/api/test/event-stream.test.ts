import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { EngineEvent } from '@ironbark/engine';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeUuid, startApi, type ApiUnderTest } from './api-under-test.ts';

const event = (id: number): EngineEvent => ({
  id,
  type: 'step.finished',
  nodeUuid,
  time: '2026-01-01T00:00:00.000000+00:00',
  data: { text: 'line one\nline two' },
});

let api: ApiUnderTest;
beforeEach(async () => {
  api = startApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => api.app.close());

async function open(path = '/ironbark/v1/events', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { port } = api.app.server.address() as AddressInfo;
  const [response] = (await once(get({ port, path, headers }), 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  return response;
}

/** Everything that arrives until the text is there. */
async function readUntil(response: IncomingMessage, text: string): Promise<string> {
  let received = '';
  while (!received.includes(text)) received += String((await once(response, 'data'))[0]);
  return received;
}

function emit(one: EngineEvent): void {
  for (const listener of api.fake.listeners) listener(one);
}

describe('the event stream', () => {
  it('sends every event as one block, with an id to go on from', async () => {
    const response = await open();
    expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    await readUntil(response, ': connected\n\n');
    emit(event(7));
    const block = await readUntil(response, '\n\n');
    const [id, type, data, ...rest] = block.split('\n');
    expect(id).toMatch(/^id: [\da-z]+\.7$/);
    expect(type).toBe('event: step.finished');
    expect(JSON.parse(data?.replace(/^data: /, '') ?? '')).toEqual({
      type: 'step.finished',
      node_uuid: nodeUuid,
      time: event(7).time,
      data: event(7).data,
    });
    expect(rest).toEqual(['', '']);
    response.destroy();
  });

  it('goes on after the last event that the client has seen of this process', async () => {
    const first = await open();
    await readUntil(first, ': connected');
    emit(event(7));
    const id = /id: (\S+)/.exec(await readUntil(first, '\n\n'))?.[1] ?? '';
    first.destroy();
    const again = await open('/ironbark/v1/events', { 'last-event-id': id });
    const afterRestart = await open('/ironbark/v1/events', { 'last-event-id': 'another1.7' });
    expect(api.fake.subscriptions).toEqual([{}, { afterId: 7 }, { afterId: 0 }]);
    again.destroy();
    afterRestart.destroy();
  });

  it('follows one node, which is given by name', async () => {
    const response = await open('/ironbark/v1/events?node=bfv-1');
    expect(api.fake.subscriptions).toEqual([{ nodeUuid }]);
    response.destroy();
    expect((await open('/ironbark/v1/events?node=nowhere')).statusCode).toBe(404);
  });

  it('says now and then that it is alive', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const response = await open();
      await readUntil(response, ': connected');
      vi.advanceTimersByTime(15_000);
      expect(await readUntil(response, '\n\n')).toBe(': alive\n\n');
      response.destroy();
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(0));
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends after a quarter of an hour, so that a client has to prove again who it is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const response = await open();
      const ended = once(response, 'close').catch(() => {});
      response.on('error', () => {});
      vi.advanceTimersByTime(15 * 60_000 - 1);
      expect(api.fake.listeners.size).toBe(1);
      vi.advanceTimersByTime(1);
      expect(api.fake.listeners.size).toBe(0);
      await ended;
    } finally {
      vi.useRealTimers();
    }
  });

  it('forgets a client that goes away', async () => {
    const response = await open();
    expect(api.fake.listeners.size).toBe(1);
    response.destroy();
    await vi.waitFor(() => expect(api.fake.listeners.size).toBe(0));
  });

  it('ends when the API is closed, at once', async () => {
    const response = await open();
    const ended = once(response, 'close').catch(() => {});
    response.on('error', () => {});
    await api.app.close();
    await ended;
    expect(api.fake.listeners.size).toBe(0);
  });

  it('cuts off a client that does not read', async () => {
    const response = await open();
    response.pause();
    const big = { ...event(1), data: { text: 'x'.repeat(1024 * 1024) } };
    for (let sent = 0; sent < 64 && api.fake.listeners.size > 0; sent += 1) emit(big);
    expect(api.fake.listeners.size).toBe(0);
    response.on('error', () => {});
    response.destroy();
  });
});

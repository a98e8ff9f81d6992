import type { ServerResponse } from 'node:http';
import type { EngineEvent, EventStream } from '@ironbark/engine';

/** How often a comment is sent, so that proxies and clients see that the connection lives. */
const heartbeatMs = 15_000;
/** Then the client has to come back, and is asked again who it is: a token is revoked, a node gets another owner. */
const lifetimeMs = 15 * 60_000;
/** A client that has this much unread is too slow; it is cut off and may come back with the id of its last event. */
const unreadBytesAtMost = 1024 * 1024;

export interface Subscription {
  readonly nodeUuid?: string;
  /** `Last-Event-ID` of the client. */
  readonly lastEventId?: string;
}

/** Streams of server-sent events (WHATWG HTML, section 9.2) that are open now. */
export class EventStreams {
  readonly #events: EventStream;
  readonly #open = new Set<() => void>();
  /**
   * Events are numbered per process. The number alone would make a client that outlives a restart miss what the new process has
   * to say, so ids name the process too.
   */
  readonly #process = Date.now().toString(36);

  constructor(events: EventStream) {
    this.#events = events;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Sends events until the client goes away, falls behind, has listened for its time, or {@link closeAll} is called. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, subscription: Subscription): void {
    const { nodeUuid } = subscription;
    const afterId = this.#afterId(subscription.lastEventId);
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': connected\n\n');
    const send = (text: string) => {
      response.write(text);
      if (response.writableLength > unreadBytesAtMost) close();
    };
    const timer = setInterval(() => send(': alive\n\n'), heartbeatMs).unref();
    const end = setTimeout(() => close(), lifetimeMs).unref();
    let unsubscribe = () => {};
    const close = () => {
      clearInterval(timer);
      clearTimeout(end);
      unsubscribe();
      this.#open.delete(close);
      response.destroy();
    };
    this.#open.add(close);
    response.once('close', close);
    unsubscribe = this.#events.subscribe((event) => send(this.#format(event)), {
      ...(nodeUuid === undefined ? {} : { nodeUuid }),
      ...(afterId === undefined ? {} : { afterId }),
    });
    if (!this.#open.has(close)) unsubscribe();
  }

  closeAll(): void {
    for (const close of this.#open) close();
  }

  #format(event: EngineEvent): string {
    const { id, type, nodeUuid, time, data } = event;
    const body = JSON.stringify({ type, node_uuid: nodeUuid, time, data });
    return `id: ${this.#process}.${id}\nevent: ${type}\ndata: ${body}\n\n`;
  }

  /** Number of the last event that a client has seen of this process; 0 when it has seen those of an earlier one. */
  #afterId(lastEventId: string | undefined): number | undefined {
    if (lastEventId === undefined || lastEventId === '') return undefined;
    const match = /^([\da-z]{1,12})\.(\d{1,15})$/.exec(lastEventId);
    return match?.[1] === this.#process ? Number(match[2]) : 0;
  }
}

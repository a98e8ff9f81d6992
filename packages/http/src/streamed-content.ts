import type { Readable } from 'node:stream';

/** The body of an answer, read piece by piece as it comes: once, to its end or until {@link close}. */
export class StreamedContent implements AsyncIterable<Uint8Array> {
  /** As the answer says; null: known at its end only. A body of another length is a fault. */
  readonly lengthBytes: number | null;
  readonly #body: Readable;
  readonly #explain: (error: unknown) => unknown;

  /** @param explain makes the error that a reader gets of one of the transport. */
  constructor(body: Readable, lengthBytes: number | null, explain: (error: unknown) => unknown) {
    this.lengthBytes = lengthBytes;
    this.#body = body;
    this.#explain = explain;
    // A connection may break while nobody reads.
    body.on('error', () => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const chunks = this.#body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    try {
      for (;;) {
        const { done, value } = await chunks.next().catch((error: unknown) => {
          throw this.#explain(error);
        });
        if (done === true) return;
        yield value;
      }
    } finally {
      this.close();
    }
  }

  /** Ends the connection unless all was read. */
  close(): void {
    this.#body.destroy();
  }
}

/** Content-Length, RFC 9110 section 8.6. */
export function contentLength(headers: Headers): number | null {
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

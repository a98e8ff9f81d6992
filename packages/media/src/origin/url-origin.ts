import { isIronbarkError, type Logger, type UrlReference } from '@ironbark/core';
import type { HttpClient, HttpOutcome, HttpStream } from '@ironbark/http';
import { imageError } from '../image-error.ts';
import type { ImageContent, Origin, Validators } from './origin.ts';
import { withoutQuery } from './url-voice.ts';

/** An image on an HTTP server. Its copy is kept as long as ETag or Last-Modified say that it is the same, RFC 9110 section 13. */
export class UrlOrigin implements Origin {
  readonly key: string;
  readonly name: string;
  readonly #http: HttpClient;
  readonly #log: Logger;

  constructor(http: HttpClient, { url }: UrlReference, log: Logger) {
    this.#http = http;
    this.#log = log;
    this.key = url;
    this.name = withoutQuery(url);
  }

  /** Always from the beginning: no server has to keep the same content for two requests. */
  async fetch(copy: Validators | null, _offset: number, signal: AbortSignal): Promise<ImageContent | null> {
    const stream = await this.#ask(copy, signal);
    if (stream === null || stream.status === 304) return null;
    const { status, headers, content } = stream;
    if (content === null || status !== 200) {
      content?.close();
      if (copy !== null && isPassing({ reply: stream })) return this.#fallBack(`HTTP ${status}`);
      throw imageError('IMAGE_UNAVAILABLE', `GET ${this.name} failed with HTTP ${status}.`, {
        hint: 'Check the URL, and that the conductor may fetch it without credentials.',
        retryable: isPassing({ reply: stream }),
      });
    }
    const validators = validatorsOf(headers, content.lengthBytes);
    if (copy !== null && isSame(copy, validators)) {
      content.close();
      return null;
    }
    return { bytes: content, offset: 0, sizeBytes: content.lengthBytes, checksum: null, validators };
  }

  /** @returns null when the server is down, which does not matter where there is a copy. */
  async #ask(copy: Validators | null, signal: AbortSignal): Promise<HttpStream | null> {
    try {
      const headers = conditionsOf(copy ?? {});
      const request = { method: 'GET', url: this.key, headers, signal, mayLeaveHost: true } as const;
      return await this.#http.stream({ ...request, isWorthRepeating: isPassing });
    } catch (error) {
      if (copy === null || !isIronbarkError(error, 'IMAGE_UNAVAILABLE')) throw error;
      return this.#fallBack(error.message);
    }
  }

  #fallBack(reason: string): null {
    this.#log.warn({ image: this.name, reason }, 'The image server does not answer: the copy in the cache is used.');
    return null;
  }
}

function validatorsOf(headers: Headers, sizeBytes: number | null): Validators {
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  return {
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
    ...(sizeBytes === null ? {} : { size: `${sizeBytes}` }),
  };
}

function conditionsOf({ etag, lastModified }: Validators): Readonly<Record<string, string>> {
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}

/** For servers that ignore conditions. A size alone proves nothing. */
function isSame(copy: Validators, now: Validators): boolean {
  const isNamed = now['etag'] !== undefined || now['lastModified'] !== undefined;
  return isNamed && ['etag', 'lastModified', 'size'].every((name) => copy[name] === now[name]);
}

/** A server that does not answer in time is not asked again, since that would cost the time again. */
function isPassing(outcome: HttpOutcome): boolean {
  if ('fault' in outcome) return outcome.fault.retryable && !outcome.fault.timedOut;
  const { status } = outcome.reply;
  return status === 429 || (status >= 500 && status !== 501);
}

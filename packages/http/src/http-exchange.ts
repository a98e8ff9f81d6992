import type { IronbarkError } from '@ironbark/core';
import type { CaFileFault } from './ca-file.ts';
import type { ConnectionFault } from './connection-fault.ts';
import type { StreamedContent } from './streamed-content.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  readonly signal: AbortSignal;
  /** Whether it is safe and useful to make the request once more after this outcome. Asked while there are attempts left. */
  readonly isWorthRepeating: (outcome: HttpOutcome) => boolean;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  /** What the JSON holds; undefined when there was none. */
  readonly body: unknown;
  /** Whether the request was made before, and may have had its effect then: that answer was lost, or had a status of 500 or more. */
  readonly mayHaveArrivedBefore: boolean;
}

/** A request whose answer may be of any size. */
export interface HttpStreamRequest extends Omit<HttpRequest, 'method' | 'body'> {
  readonly method: 'GET';
  /** Whether a redirection may lead to another host, which gets the headers too. */
  readonly mayLeaveHost: boolean;
}

export interface HttpStream extends HttpReply {
  /** What a status of 200 to 299 brings, which the caller reads or closes; null for any other, which is read already. */
  readonly content: StreamedContent | null;
}

/** Of a request whose answers have this form. */
export type Outcome<Reply extends HttpReply> = { readonly reply: Reply } | { readonly fault: ConnectionFault };

/** An answer, whatever its status, or why there is none. */
export type HttpOutcome = Outcome<HttpReply>;

/** How patient a client is. Times are in milliseconds. */
export interface HttpPatience {
  /** For the TCP and TLS handshake. */
  readonly connectTimeoutMs: number;
  /** For the answer to one request, and once more for its body; of a stream, for each piece of it. */
  readonly requestTimeoutMs: number;
  /** How often a request is made at most. */
  readonly attempts: number;
  /** Pause before the first repetition; each further one is twice as long. `Retry-After` wins, up to 30 s. */
  readonly retryIntervalMs: number;
}

export interface HttpClientOptions {
  readonly patience: HttpPatience;
  /** True: by the CAs that Node trusts; a path: by the certificates in this PEM file alone; false: not verified at all. */
  readonly verifyCa: boolean | string;
  readonly maxConnections: number;
  /** How long an idle connection is kept when the service names no time; 0: each request has a connection of its own. */
  readonly idleConnectionMs: number;
  readonly maxReplyBytes: number;
  readonly voice: HttpVoice;
}

/** How a client speaks of its service: all its errors and logs come from here. */
export interface HttpVoice {
  /** Names service and request, for example `BMC https://…: GET /redfish/v1`. */
  describe(request: HttpRequest): string;
  unreachable(fault: ConnectionFault, request: HttpRequest): IronbarkError;
  /** An answer that such a service does not give. @param problem continues "… gave". */
  malformed(problem: string, request: HttpRequest): IronbarkError;
  caFile(fault: CaFileFault): IronbarkError;
  repeating(request: HttpRequest, facts: { readonly attempt: number; readonly waitMs: number }): void;
}

import { IronbarkError, silentLogger, type Logger } from '@ironbark/core';
import type { FastifyInstance } from 'fastify';
import type { Authenticator, AuthOptions, Identity } from '../src/index.ts';
import { createApi } from '../src/index.ts';
import { FakeEngine, newNode } from './fake-engine.ts';

export const nodeUuid = '3f2b9c1e-0d4a-4c7e-9b58-6a1f00c0ffee';

export interface ApiUnderTest {
  readonly app: FastifyInstance;
  readonly fake: FakeEngine;
  /** Sends a request with the version that the command line client speaks. */
  readonly call: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what the wire holds
  readonly body: any;
}

/** An API over a fake engine with one node, `bfv-1`. */
export function startApi(options: { readonly auth?: AuthOptions; readonly log?: Logger } = {}): ApiUnderTest {
  const fake = new FakeEngine();
  fake.nodeRows.set(nodeUuid, newNode(nodeUuid, { name: 'bfv-1' }));
  const { auth = { strategy: 'noauth' }, log = silentLogger } = options;
  const app = createApi({ engine: fake.asEngine(), log, auth, version: '0.0.0' });
  return { app, fake, call: (method, url, body, headers) => send(app, method, url, body, headers) };
}

export async function send(
  app: FastifyInstance,
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await app.inject({
    method,
    url,
    headers: { 'x-openstack-ironic-api-version': '1.78', ...headers },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const text = response.body;
  const isJson = response.headers['content-type'] === 'application/json' && text !== '';
  return { status: response.statusCode, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** The inner document of a failed answer. */
export function fault(answer: Answer): { faultcode: string; faultstring: string; code: string; hint?: string } {
  return JSON.parse(answer.body.error_message);
}

/** Lets in whoever the header `x-test-identity` describes; nobody without it. */
export function headerAuth(): AuthOptions {
  const authenticator: Authenticator = {
    challenge: 'Test',
    authenticate: ({ headers }) => {
      const text = headers['x-test-identity'];
      if (typeof text !== 'string') throw new IronbarkError('UNAUTHENTICATED', 'Authentication is required.');
      return JSON.parse(text) as Identity;
    },
  };
  return { strategy: 'custom', authenticator };
}

export function as(identity: Partial<Identity>): Record<string, string> {
  return { 'x-test-identity': JSON.stringify({ user: 'u', project: null, roles: [], system: true, ...identity }) };
}

import { setImmediate } from 'node:timers/promises';
import { Secret, silentLogger } from '@ironbark/core';
import type { Answer, FakeService, Handler, ReceivedRequest } from '@ironbark/lab/fake-service';
import { defaultPatience, Session, type Auth, type EndpointOptions, type SessionOptions } from '../../src/index.ts';

export const password = 'Secret-Pass-1';
export const projectId = '8a204937b794476d818f02e5a276acaf';
export const settings = 'settings.cinder';
export const endpoint: EndpointOptions = { region: null, interfaces: ['internal', 'public'], override: null };

/** Fails a test that hangs. */
export const soon = () => AbortSignal.timeout(4000);

/** Until a connection that is kept may be used again. */
export const untilIdle = () => setImmediate();

export interface TokenShape {
  /** Seconds. Default: 3600. */
  readonly lifetime?: number;
  readonly roles?: readonly string[];
  /** When Keystone says that the token was issued. Default: now. */
  readonly issuedAt?: Date;
  /** URL of Cinder in the catalogue. Default: at the same server. */
  readonly endpoint?: string;
  /** After so many logins the password is refused. Default: never. */
  readonly logins?: number;
}

export const tokens = 'POST /v3/auth/tokens';

/** Gives tokens `token-1`, `token-2`, … for {@link password}; its catalogue has Cinder at the same server. */
export function keystone(shape: TokenShape = {}): Handler {
  return ({ body, headers }, nth) => {
    if (!JSON.stringify(body).includes(password) || nth > (shape.logins ?? Infinity))
      return refusal(401, 'error', 'The request you have made requires authentication.');
    const issuedAt = shape.issuedAt ?? new Date();
    const expiresAt = new Date(issuedAt.getTime() + (shape.lifetime ?? 3600) * 1000);
    const url = shape.endpoint ?? `http://${headers['host']?.toString()}/v3/${projectId}`;
    return {
      status: 201,
      headers: { 'x-subject-token': `token-${nth}` },
      json: {
        token: {
          issued_at: issuedAt.toISOString(),
          expires_at: expiresAt.toISOString(),
          project: { id: projectId },
          roles: (shape.roles ?? ['admin', 'service']).map((name) => ({ name })),
          catalog: [
            {
              type: 'volumev3',
              endpoints: [{ interface: 'public', region_id: 'RegionOne', region: 'RegionOne', url }],
            },
          ],
        },
      },
    };
  };
}

/** An error as the services shape it. */
export function refusal(
  status: number,
  key: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers, json: { [key]: { code: status, message } } };
}

/** Answers only the tokens of the list, others with 401. */
export function accepts(...accepted: readonly string[]): (request: ReceivedRequest) => Answer {
  return ({ headers }) =>
    accepted.includes(String(headers['x-auth-token'])) ? { json: {} } : refusal(401, 'error', 'No.');
}

export function passwordAuth(service: Pick<FakeService, 'address'>, secret = password): Auth {
  return {
    kind: 'keystone',
    url: `${service.address}/v3`,
    credentials: {
      method: 'password',
      user: { name: 'conductor', domain: { name: 'Default' } },
      password: Secret.of(secret),
    },
    scope: { project: { name: 'service', domain: { name: 'Default' } } },
  };
}

export function createSession(auth: Auth, options: Partial<SessionOptions> = {}): Session {
  const patience = { ...defaultPatience, requestTimeoutMs: 3000, attempts: 3, retryIntervalMs: 1 };
  return new Session({ auth, verifyCa: true, patience, ...options }, { log: silentLogger, settings });
}

import { Secret, silentLogger, type Logger } from '@ironbark/core';
import type { Answer, FakeService, Handler, ReceivedRequest } from '@ironbark/lab/fake-service';
import { RedfishClient, type RedfishConnection, type RedfishPatience } from '../../src/index.ts';

export const username = 'operator';
export const password = 'Secret-Pass-1';

const sessions = '/redfish/v1/SessionService/Sessions';

/** Quick where a test waits for the end of its patience, generous where a slow machine must not fail it. */
export const patience: Partial<RedfishPatience> = {
  connectTimeoutMs: 3000,
  requestTimeoutMs: 3000,
  attempts: 3,
  retryIntervalMs: 1,
  settleTimeoutMs: 60,
  pollIntervalMs: 2,
  taskTimeoutMs: 3000,
};

export function createClient(
  service: Pick<FakeService, 'address'>,
  overrides: Partial<RedfishConnection> = {},
  options: { readonly log?: Logger; readonly patience?: Partial<RedfishPatience> } = {},
): RedfishClient {
  const credentials = { username, password: Secret.of(password) };
  const connection = { address: service.address, credentials, authType: 'auto' as const, verifyCa: true, ...overrides };
  return new RedfishClient(connection, {
    log: silentLogger,
    ...options,
    patience: { ...patience, ...options.patience },
  });
}

/** Fails a test that hangs. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(4000);
}

/** A service root, and sessions whose tokens are `token-1`, `token-2`, … */
export function sessionHandlers(): Readonly<Record<string, Handler>> {
  return {
    'GET /redfish/v1/': () => ({
      json: { Links: { Sessions: { '@odata.id': sessions } }, Systems: { '@odata.id': '/redfish/v1/Systems' } },
    }),
    [`POST ${sessions}`]: ({ body }, nth) => {
      const { UserName, Password } = body as { readonly UserName: string; readonly Password: string };
      if (UserName !== username || Password !== password) return { status: 401, json: {} };
      return {
        status: 201,
        headers: { 'x-auth-token': `token-${nth}`, location: `${sessions}/${nth}` },
        json: { '@odata.id': `${sessions}/${nth}` },
      };
    },
    [`DELETE ${sessions}/1`]: () => ({ status: 204 }),
    [`DELETE ${sessions}/2`]: () => ({ status: 204 }),
  };
}

/** An error as DSP0266 section "Error responses" shapes it. */
export function refusal(status: number, messageId: string, message: string): Answer {
  return {
    status,
    json: {
      error: {
        code: 'Base.1.18.GeneralError',
        message: 'A general error has occurred. See ExtendedInfo for more information.',
        '@Message.ExtendedInfo': [{ MessageId: `Base.1.18.${messageId}`, Message: message }],
      },
    },
  };
}

export interface FakeSystemState {
  readonly boot: Record<string, unknown>;
  /** Answers a PATCH after the body was seen; undefined: the change is made. */
  refuse?: (request: ReceivedRequest) => Answer | undefined;
  /** Changes Boot when a PATCH was accepted. Default: at once, as asked. */
  apply?: (boot: Record<string, unknown>, change: Readonly<Record<string, unknown>>) => void;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export const systemPath = '/redfish/v1/Systems/1';

/** One system whose Boot object a test holds in its hands. */
export function systemHandlers(state: FakeSystemState): Readonly<Record<string, Handler>> {
  return {
    ...sessionHandlers(),
    [`GET ${systemPath}`]: () => ({ json: { '@odata.id': systemPath, Boot: state.boot, ...state.extra } }),
    [`PATCH ${systemPath}`]: (request) => {
      const refused = state.refuse?.(request);
      if (refused !== undefined) return refused;
      const change = (request.body as { readonly Boot: Readonly<Record<string, unknown>> }).Boot;
      if (state.apply === undefined) Object.assign(state.boot, change);
      else state.apply(state.boot, change);
      return { status: 204 };
    },
  };
}

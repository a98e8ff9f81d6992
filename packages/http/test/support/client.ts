import { IronbarkError } from '@ironbark/core';
import { HttpClient, type ConnectionFault, type HttpClientOptions, type HttpOutcome } from '../../src/index.ts';

/** What a client said of its service. */
export interface Sayings {
  readonly faults: ConnectionFault[];
  readonly waitsMs: number[];
}

/** A client that asks three times, and what it says. @param onRepetition is called before each wait. */
export function createClient(
  overrides: Partial<Omit<HttpClientOptions, 'voice'>> = {},
  onRepetition: () => void = () => {},
): { readonly client: HttpClient; readonly sayings: Sayings } {
  const sayings: Sayings = { faults: [], waitsMs: [] };
  const client = new HttpClient({
    patience: { connectTimeoutMs: 3000, requestTimeoutMs: 3000, attempts: 3, retryIntervalMs: 1 },
    verifyCa: true,
    maxConnections: 4,
    idleConnectionMs: 4000,
    maxReplyBytes: 10_000,
    ...overrides,
    voice: {
      describe: ({ method, url }) => `${method} ${url}`,
      unreachable: (fault) => {
        sayings.faults.push(fault);
        return new IronbarkError('TEST_UNREACHABLE', fault.problem);
      },
      malformed: (problem) => new IronbarkError('TEST_MALFORMED', problem),
      caFile: ({ path, problem }) => new IronbarkError('TEST_CA', `${path} ${problem}`),
      repeating: (_request, { waitMs }) => {
        sayings.waitsMs.push(waitMs);
        onRepetition();
      },
    },
  });
  return { client, sayings };
}

/** A request that is not repeated, and fails a test that hangs. */
export function get(url: string) {
  return { method: 'GET', url, headers: {}, signal: AbortSignal.timeout(4000), isWorthRepeating: () => false } as const;
}

export const whenBroken = (outcome: HttpOutcome) => 'fault' in outcome && outcome.fault.retryable;
export const whenBusy = (outcome: HttpOutcome) => 'reply' in outcome && outcome.reply.status === 503;

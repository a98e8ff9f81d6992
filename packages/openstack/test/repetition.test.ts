import { connectionFault, type HttpOutcome } from '@ironbark/http';
import { describe, expect, it } from 'vitest';
import { isPassing, isUntouched } from '../src/repetition.ts';

function lost(code: string): HttpOutcome {
  return { fault: connectionFault(Object.assign(new Error('lost'), { code })) };
}

function answered(status: number, retryAfter?: string): HttpOutcome {
  const headers = new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter });
  return { reply: { status, headers, body: undefined, mayHaveArrivedBefore: false } };
}

describe('what may be another outcome a little later, and what certainly was not acted upon', () => {
  it.each([
    ['a refused connection', lost('ECONNREFUSED'), true, true],
    ['a broken connection', lost('ECONNRESET'), true, false],
    ['a certificate that is not trusted', lost('CERT_UNTRUSTED'), false, false],
    ['a host that does not answer in time', lost('UND_ERR_CONNECT_TIMEOUT'), false, false],
    ['an answer that does not come in time', lost('ETIMEDOUT'), false, false],
    ['a limited rate', answered(429), true, true],
    ['a limited rate of an older service', answered(413, '2'), true, true],
    ['a quota', answered(413), false, false],
    ['a quota of Cinder', answered(413, '0'), false, false],
    ['a failure', answered(500), true, false],
    ['a service that is not there', answered(503), true, false],
    ['a service that cannot do it', answered(501), false, false],
    ['a refusal', answered(409), false, false],
  ])('%s', (_title, outcome, passing, untouched) => {
    expect([isPassing(outcome), isUntouched(outcome)]).toEqual([passing, untouched]);
  });
});

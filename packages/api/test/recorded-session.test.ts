import { readFileSync } from 'node:fs';
import { IronbarkError } from '@ironbark/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { fault, startApi, type Answer, type ApiUnderTest } from './api-under-test.ts';

/** One request of the real client, and what of the Bare Metal service's answer has to be the same. */
interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly location?: string;
  readonly keys?: string | readonly string[];
  readonly itemKeys?: string | readonly string[];
  readonly errorKeys?: readonly string[];
}

const { keySets, exchanges } = JSON.parse(
  readFileSync(new URL('fixtures/recorded-session.json', import.meta.url), 'utf8'),
) as { keySets: Record<string, string[]>; exchanges: Exchange[] };

const everyAnswer = [
  'openstack-request-id',
  'x-openstack-ironic-api-maximum-version',
  'x-openstack-ironic-api-minimum-version',
  'x-openstack-ironic-api-version',
];

/** The life of a node as the command line client typed it: every step builds on the ones before. */
describe('the recorded session of the openstack client', () => {
  let api: ApiUnderTest;
  /** Uuids of the recording, with ours. */
  const uuids = new Map<string, string>();
  const translate = (text: string) =>
    [...uuids].reduce((result, [recorded, ours]) => result.replaceAll(recorded, ours), text);

  beforeAll(() => {
    api = startApi();
    api.fake.nodeRows.clear();
  });

  async function replay(exchange: Exchange): Promise<Answer> {
    const body = exchange.body === undefined ? undefined : JSON.parse(translate(JSON.stringify(exchange.body)));
    const type = { 'content-type': exchange.contentType ?? 'application/json' };
    if (exchange.status >= 400) {
      const refusal = new IronbarkError('INVALID_STATE_REQUESTED', 'The requested action can not be performed.');
      (exchange.url.includes('targets') ? api.fake.volumeTargets : api.fake.volumeConnectors).failure = refusal;
    }
    const answer = await api.call(exchange.method, translate(exchange.url), body, type);
    const recorded = exchange.location?.split('/').at(-1);
    if (exchange.status === 201 && recorded !== undefined) uuids.set(recorded, answer.body.uuid);
    return answer;
  }

  it.each(exchanges)('$name: $method $url is answered as recorded', async (exchange) => {
    const answer = await replay(exchange);
    const expected = keysOf(exchange.keys);
    expect(answer.status, answer.text).toBe(exchange.status);
    expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(everyAnswer));
    expect(answer.headers['content-type']).toBe(expected === undefined ? undefined : 'application/json');
    expect(answer.headers['location']).toBe(
      exchange.location === undefined ? undefined : `http://localhost:80${translate(exchange.location)}`,
    );
    expect(answer.body === undefined ? undefined : sortedKeys(answer.body)).toEqual(expected);
    expect(exchange.itemKeys === undefined ? undefined : sortedKeys(listIn(answer.body)[0] ?? {})).toEqual(
      keysOf(exchange.itemKeys),
    );
    const faultKeys = exchange.errorKeys === undefined ? [] : Object.keys(fault(answer));
    expect(faultKeys).toEqual(expect.arrayContaining([...(exchange.errorKeys ?? [])]));
  });
});

function keysOf(keys: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof keys === 'string' ? keySets[keys] : keys;
}

function sortedKeys(value: object): readonly string[] {
  return Object.keys(value).toSorted();
}

function listIn(body: Record<string, unknown>): readonly object[] {
  const list = Object.values(body).find((value) => Array.isArray(value));
  return (list ?? []) as readonly object[];
}

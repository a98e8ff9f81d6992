import type { BmcSimulator } from '../src/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Sends one request to a BMC, with basic authentication unless other headers are given. */
export async function request(
  bmc: BmcSimulator,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const headers = options.headers ?? basic(bmc.username, bmc.password);
  const content = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  const response = await fetch(`${bmc.url}${path}`, {
    method,
    headers: { ...headers, ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(options.body === undefined ? {} : { body: content }),
  });
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, body };
}

export function basic(username: string, password: string): Readonly<Record<string, string>> {
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** The message id of a DMTF error body, without the registry. */
export function messageId(answer: Answer): string | undefined {
  const { error } = answer.body as { error?: { '@Message.ExtendedInfo': readonly { MessageId: string }[] } };
  return error?.['@Message.ExtendedInfo'][0]?.MessageId.replace(/^Base\.[\d.]+\./, '');
}

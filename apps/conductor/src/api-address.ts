import type { Config } from './config/load.ts';
import type { Keystone } from './keystone.ts';

type Api = Pick<Config['api'], 'listen' | 'bootReportUrl'>;

/**
 * URL under which machines reach the API, without a slash at the end: the configured one, else that in the catalogue of Keystone,
 * else the address that it listens on. Null when it listens on all addresses and nobody said which one to use.
 * @param port the one that is really listened on.
 */
export async function bootReportUrlOf(
  { listen, bootReportUrl }: Api,
  port: number,
  keystone: Pick<Keystone, 'findApiUrl'> | undefined,
): Promise<string | null> {
  return bootReportUrl ?? (await keystone?.findApiUrl()) ?? (isWildcard(listen) ? null : localUrlOf({ listen }, port));
}

/** URL under which a client on this host reaches the API. */
export function localUrlOf({ listen }: Pick<Api, 'listen'>, port: number): string {
  const host = isWildcard(listen) ? '127.0.0.1' : listen;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether only this host reaches the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || host === '[::1]';
}

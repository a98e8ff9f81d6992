import { isIPv6 } from 'node:net';

/**
 * Reads the address of a BMC as operators write it: host or URL, `https` when no scheme is given, IPv6 with or without brackets.
 * @returns the origin, `https://host[:port]`; undefined when the text is no such address or holds more than one (path, user, query).
 */
export function parseBmcAddress(text: string): string | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${isIPv6(text) ? `[${text}]` : text}`;
  if (/[\s\\]/.test(text) || !URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  const isPlain = url.username === '' && url.password === '' && url.pathname === '/' && !/[?#]/.test(withScheme);
  return isPlain && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : undefined;
}

/**
 * The URL of a resource on this BMC. Services behind address translation or a proxy write absolute links with a host of their own,
 * so only path and query of a link count; a token never goes to another host.
 */
export function resourceUrl(address: string, link: string): string {
  const { pathname, search } = new URL(link, address);
  return `${address}${pathname}${search}`;
}

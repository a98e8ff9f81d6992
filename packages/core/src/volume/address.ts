import { isIP } from 'node:net';
import type { Portal } from './connection.ts';

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;

/** Default TCP port of iSCSI (RFC 7143 section 4.2.7.1). */
export const iscsiPort = 3260;

/** Whether the text is an IPv4 or IPv6 address (no zone, no brackets) or a host name. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%');
  return hostName.test(text) && !/^[0-9.]+$/.test(text);
}

/** Parses `host`, `host:port`, `[v6]` or `[v6]:port`; undefined when the text is none of them. */
export function parsePortal(text: string, defaultPort: number = iscsiPort): Portal | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const [, v6, name, portText] = match ?? [];
  const host = isIP(text) === 6 ? text : (v6 ?? name);
  const port = portText === undefined || host === text ? defaultPort : Number(portText);
  if (host === undefined || !isHost(host) || port < 1 || port > 65535) return undefined;
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  return { host, port };
}

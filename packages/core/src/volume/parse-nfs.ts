import { invalidParameter } from '../errors.ts';
import { isInfo, type Info, type InfoValue } from '../info.ts';
import { isHost } from './address.ts';
import type { NfsConnection } from './connection.ts';
import { PropertyReader } from './property-reader.ts';

const exportPath = /^\/[A-Za-z0-9._/+@=-]*$/;
const mountOption = /^[A-Za-z0-9_]+(?:=[A-Za-z0-9._:-]+)?$/;

/**
 * Reads `export` ("server:/path", Cinder's key; IPv6 in brackets) and `options` (text with commas, as nfs(5) names them).
 * @throws INVALID_PARAMETER naming the key and the record.
 */
export function parseNfs(properties: Info, where: string): NfsConnection {
  const reader = new PropertyReader(properties, where);
  const text = reader.text('export');
  if (text === undefined) throw reader.fault('export', 'is missing', 'Give "server:/path".');
  const [, v6, name, path = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\/.*)$/.exec(text) ?? [];
  const server = v6 ?? name;
  if (server === undefined || !isHost(server) || !exportPath.test(path) || path.split('/').includes('..')) {
    throw reader.fault('export', `is ${JSON.stringify(text)}, which is no NFS export`, 'Give "server:/path".');
  }
  const options = (reader.text('options') ?? '')
    .replace(/^-o\s+/, '')
    .split(',')
    .filter((option) => option !== '');
  const bad = options.find((option) => !mountOption.test(option));
  if (bad !== undefined)
    throw reader.fault('options', `holds ${JSON.stringify(bad)}`, 'Give options such as "vers=4.2,nolock".');
  return { kind: 'nfs', server, path, options };
}

/**
 * Reads `instance_info.nfs_root`: text as in the kernel parameter `nfsroot` ("server:/path" or "server:/path,option,option"), or an
 * object with `server`, `path` and, if any, `options` (text with commas).
 * @param where names the field in errors.
 * @throws INVALID_PARAMETER naming the field.
 */
export function parseNfsRoot(value: InfoValue, where: string): NfsConnection {
  return parseNfs(exportProperties(value, where), where);
}

function exportProperties(value: InfoValue, where: string): Info {
  if (typeof value === 'string') {
    const [text = '', ...options] = value.split(',');
    return { export: text, options: options.join(',') };
  }
  const isGiven = (text: unknown): text is string => typeof text === 'string' && text !== '';
  if (isInfo(value) && isGiven(value['server']) && isGiven(value['path'])) {
    const { server, path, options = '' } = value as { server: string; path: string; options?: InfoValue };
    return { export: `${server.includes(':') && !server.startsWith('[') ? `[${server}]` : server}:${path}`, options };
  }
  throw invalidParameter(`The ${where} does not name an NFS export.`, {
    hint: 'Give "server:/path", "server:/path,option,option", or an object with server, path and options.',
  });
}

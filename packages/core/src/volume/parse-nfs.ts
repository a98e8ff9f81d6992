import type { Info } from '../info.ts';
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

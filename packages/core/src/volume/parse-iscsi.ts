import type { Info, InfoValue } from '../info.ts';
import { parsePortal } from './address.ts';
import type { ChapCredentials, IscsiConnection, IscsiPath } from './connection.ts';
import { PropertyReader } from './property-reader.ts';

const iscsiName =
  /^(?:iqn\.\d{4}-\d{2}\.[A-Za-z0-9._:+-]+|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16}(?:[0-9A-Fa-f]{16})?)$/;

/** Whether the text is an iSCSI name: RFC 7143 section 4.2.7, at most 223 bytes; upper case and `_` as arrays in the field use. */
export function isIscsiName(text: string): boolean {
  return text.length <= 223 && iscsiName.test(text);
}

/**
 * Reads the iSCSI keys of Cinder's `connection_info.data`, which the properties of a volume target share: `target_portal(s)`,
 * `target_iqn(s)`, `target_lun(s)`, `auth_method`, `auth_username`, `auth_password`, and our `mutual_auth_username`,
 * `mutual_auth_password`. Lists describe paths and must be equally long; a missing list is filled from the single key.
 * @throws INVALID_PARAMETER naming the key and the record.
 */
export function parseIscsi(properties: Info, where: string): IscsiConnection {
  const reader = new PropertyReader(properties, where);
  const portals = required(reader, 'target_portal', 'Give "host:port", IPv6 as "[address]:port".').map((value) =>
    portal(reader, value),
  );
  const iqns = required(reader, 'target_iqn', 'Give the iSCSI name of the target.').map((value) => iqn(reader, value));
  const luns = required(reader, 'target_lun', 'Give the number of the LUN.').map((value) => lun(reader, value));
  const paths = portals.map((address, index): IscsiPath => {
    return {
      portal: address,
      iqn: pick(reader, 'target_iqn', iqns, index, portals),
      lun: pick(reader, 'target_lun', luns, index, portals),
    };
  });
  return { kind: 'iscsi', paths, chap: chap(reader) };
}

function required(reader: PropertyReader, key: string, hint: string): readonly InfoValue[] {
  const values = reader.list(key);
  if (values.length === 0) throw reader.fault(key, 'is missing', hint);
  return values;
}

function pick<T>(
  reader: PropertyReader,
  key: string,
  values: readonly T[],
  index: number,
  portals: readonly unknown[],
): T {
  if (values.length !== 1 && values.length !== portals.length) {
    const problem = `has ${values.length} entries for ${portals.length} portals`;
    throw reader.fault(`${key}s`, problem, 'Give one entry for every portal, in the same order.');
  }
  return (values.length === 1 ? values[0] : values[index]) as T;
}

function portal(reader: PropertyReader, value: InfoValue) {
  const text = reader.asText('target_portal', value);
  const parsed = parsePortal(text);
  if (parsed !== undefined) return parsed;
  throw reader.fault(
    'target_portal',
    `is ${JSON.stringify(text)}, which is no portal`,
    'Give "host:port", IPv6 as "[address]:port".',
  );
}

function iqn(reader: PropertyReader, value: InfoValue): string {
  const text = reader.asText('target_iqn', value);
  if (isIscsiName(text)) return text;
  throw reader.fault(
    'target_iqn',
    `is ${JSON.stringify(text)}, which is no iSCSI name`,
    'Give a name like "iqn.2010-10.org.example:volume-1".',
  );
}

/** Largest LUN that one level of addressing expresses; the number is written without an addressing method, as Linux counts. */
const maxLun = 65535;

export function parseLun(value: InfoValue | undefined): number | undefined {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= maxLun ? number : undefined;
}

function lun(reader: PropertyReader, value: InfoValue): number {
  const parsed = parseLun(value);
  if (parsed !== undefined) return parsed;
  throw reader.fault(
    'target_lun',
    `is ${JSON.stringify(value)}, which is no LUN`,
    `Give a decimal number from 0 to ${maxLun}.`,
  );
}

function chap(reader: PropertyReader): ChapCredentials | null {
  const method = reader.text('auth_method');
  if (method !== undefined && !/^(chap|none)$/i.test(method)) {
    throw reader.fault(
      'auth_method',
      `is ${JSON.stringify(method)}`,
      'Use "CHAP", or remove it for a target without authentication.',
    );
  }
  const username = reader.text('auth_username');
  const password = reader.secret('auth_password');
  if (username === undefined && password === undefined) {
    if (method?.toLowerCase() === 'chap')
      throw reader.fault(
        'auth_username',
        'is missing although auth_method is CHAP',
        'Give auth_username and auth_password.',
      );
    if (reader.has('mutual_auth_username') || reader.has('mutual_auth_password')) {
      throw reader.fault(
        'auth_username',
        'is missing although mutual CHAP is configured',
        'Give auth_username and auth_password as well.',
      );
    }
    return null;
  }
  if (username === undefined)
    throw reader.fault('auth_username', 'is missing although auth_password is given', 'Give both or neither.');
  if (password === undefined)
    throw reader.fault('auth_password', 'is missing although auth_username is given', 'Give both or neither.');
  if (method?.toLowerCase() === 'none')
    throw reader.fault(
      'auth_method',
      'is none although CHAP credentials are given',
      'Remove the credentials, or set auth_method to CHAP.',
    );
  return { username, password, mutual: mutualChap(reader) };
}

function mutualChap(reader: PropertyReader): ChapCredentials['mutual'] {
  const username = reader.text('mutual_auth_username');
  const password = reader.secret('mutual_auth_password');
  if (username === undefined && password === undefined) return null;
  if (username === undefined)
    throw reader.fault(
      'mutual_auth_username',
      'is missing although mutual_auth_password is given',
      'Give both or neither.',
    );
  if (password === undefined)
    throw reader.fault(
      'mutual_auth_password',
      'is missing although mutual_auth_username is given',
      'Give both or neither.',
    );
  return { username, password };
}

import { isInfo, type Info, type InfoValue } from '../info.ts';
import type { FibreChannelConnection, FibreChannelPath } from './connection.ts';
import { parseLun } from './parse-iscsi.ts';
import { PropertyReader } from './property-reader.ts';

/** Reads a world wide name, with or without `0x` and colons, as 16 lower-case digits; undefined when it is none. */
export function parseWwn(text: string): string | undefined {
  const digits = text.toLowerCase().replace(/^0x/, '').replaceAll(':', '');
  return /^[0-9a-f]{16}$/.test(digits) ? digits : undefined;
}

/**
 * Reads the Fibre Channel keys of Cinder's `connection_info.data`: `target_wwn` (text or list), `target_lun` or `target_luns`,
 * `initiator_target_map` {initiator WWPN: [target WWPNs]}. With a map there is one path for each of its pairs.
 * @throws INVALID_PARAMETER naming the key and the record.
 */
export function parseFibreChannel(properties: Info, where: string): FibreChannelConnection {
  const reader = new PropertyReader(properties, where);
  const targets = wwns(reader, 'target_wwn', properties['target_wwn']);
  const luns = reader.list('target_lun').map((value) => {
    const lun = parseLun(value);
    if (lun === undefined)
      throw reader.fault('target_lun', `is ${JSON.stringify(value)}, which is no LUN`, 'Give a decimal number.');
    return lun;
  });
  if (luns.length !== 1 && luns.length !== targets.length) {
    const problem = luns.length === 0 ? 'is missing' : `has ${luns.length} entries for ${targets.length} targets`;
    throw reader.fault('target_lun', problem, 'Give one LUN, or one for every target.');
  }
  const lunOf = new Map(targets.map((target, index) => [target, (luns.length === 1 ? luns[0] : luns[index]) ?? 0]));
  const map = properties['initiator_target_map'];
  if (map === undefined || map === null) {
    return {
      kind: 'fibre_channel',
      paths: [...lunOf].map(([targetWwpn, lun]) => ({ initiatorWwpn: null, targetWwpn, lun })),
    };
  }
  if (!isInfo(map))
    throw reader.fault('initiator_target_map', 'is not an object', 'Give {initiator WWPN: [target WWPN, …]}.');
  const paths = Object.entries(map).flatMap(([initiator, values]): FibreChannelPath[] => {
    const initiatorWwpn = wwn(reader, 'initiator_target_map', initiator);
    return wwns(reader, 'initiator_target_map', values).map((targetWwpn) => {
      const lun = lunOf.get(targetWwpn) ?? (luns.length === 1 ? luns[0] : undefined);
      if (lun === undefined)
        throw reader.fault(
          'initiator_target_map',
          `names target ${targetWwpn}, which target_wwn does not`,
          'List it in target_wwn with its LUN.',
        );
      return { initiatorWwpn, targetWwpn, lun };
    });
  });
  if (paths.length === 0)
    throw reader.fault('initiator_target_map', 'is empty', 'Give at least one pair, or remove it.');
  return { kind: 'fibre_channel', paths };
}

function wwns(reader: PropertyReader, key: string, value: InfoValue | undefined): readonly string[] {
  const values = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  if (values.length === 0) throw reader.fault(key, 'is missing', 'Give the WWPN of the target.');
  return values.map((item) => wwn(reader, key, reader.asText(key, item)));
}

function wwn(reader: PropertyReader, key: string, text: string): string {
  const parsed = parseWwn(text);
  if (parsed === undefined)
    throw reader.fault(
      key,
      `holds ${JSON.stringify(text)}, which is no world wide name`,
      'Give 16 hexadecimal digits.',
    );
  return parsed;
}
